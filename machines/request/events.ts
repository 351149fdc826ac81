import type { EventSchema } from '../kernel.ts'

/**
 * Stream `request-<digest of person and key>`: somebody named a write (`Idempotency-Key`). What they asked for is told
 * apart by the room's own digest.
 */
export type RequestEvent = { readonly type: 'RequestNamed'; readonly at: number }

export const requestEvents: Readonly<Record<RequestEvent['type'], EventSchema>> = {
  RequestNamed: { version: 1, personal: [], upcasts: {} },
}
