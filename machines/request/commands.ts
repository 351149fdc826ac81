import type { Command } from '../kernel.ts'

/**
 * Asked with the key as the call's name and the request as its payload, so that the room answers a repeat and refuses a
 * reuse.
 */
export type RequestCommand = Command & { readonly type: 'NameRequest' }
