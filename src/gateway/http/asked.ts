import type { z } from '@hono/zod-openapi'
import type { Party, Refusal } from '../../../machines/kernel.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Identity } from '../auth/tokens.ts'
import type { Taken } from './taken.ts'

export type Raw = z.ZodRawShape
/** No parameters, or no fields. */
export type None = Record<never, never>

/** What a handler gives. */
export type Said<T> = Promise<T | Refusal> | T | Refusal

/** A request to a route that needs no token. */
export interface Visit<P extends Raw, Q extends Raw, B extends Raw> extends Taken<P, Q, B> {
  readonly address: string
  /** Of the Authorization header, not looked at yet. */
  readonly token: string | null
}

/** A request of somebody. */
export interface Asked<P extends Raw, Q extends Raw, B extends Raw> extends Visit<P, Q, B> {
  readonly identity: Identity
  readonly by: Party
  /** What its `Idempotency-Key` names, on routes that write. */
  readonly call: Call
  /** True when nobody waits for the answer any more. */
  readonly isGone: () => boolean
  /** The header `Accept`. */
  readonly accept: string
}

/** An answer that is not `{data: …}`. */
export interface Bytes {
  readonly body: string | ReadableStream<Uint8Array>
  readonly headers: Readonly<Record<string, string>>
}

/** A value as it may be put into JSON of this shape. */
export type Json<T> = T extends readonly (infer Item)[]
  ? readonly Json<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Json<T[Key]> }
    : T
