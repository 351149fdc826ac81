import type { EventSchema } from '../kernel.ts'

/**
 * Says for ever which lesson a code leads to: the stream `joincode-<code>` is where a code is looked up, and why no two
 * lessons share one.
 */
export type JoincodeEvent = { readonly type: 'JoinCodeReserved'; readonly lessonId: string }

export const joincodeEvents: Record<JoincodeEvent['type'], EventSchema> = {
  JoinCodeReserved: { version: 1, personal: [], upcasts: {} },
}
