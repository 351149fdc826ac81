import type { Command } from '../kernel.ts'

export type LoginCommand = Command & { readonly type: 'AddLogin'; readonly org: string; readonly person: string }
