import type { EventSchema } from '../kernel.ts'

/** A number was taken, in the stream `counter-<what>`: the event's revision counts them. `key`: for whom. */
export interface CounterEvent {
  readonly type: 'NumberTaken'
  readonly key: string
}

export const counterEvents: Readonly<Record<CounterEvent['type'], EventSchema>> = {
  NumberTaken: { version: 1, personal: [], upcasts: {} },
}
