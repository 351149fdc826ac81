import type { EventSchema } from '../kernel.ts'

/** The number of a person whose id is none, in the stream `number-<org>.<person>`. */
export interface NumberEvent {
  readonly type: 'NumberGiven'
  readonly number: number
}

export const numberEvents: Readonly<Record<NumberEvent['type'], EventSchema>> = {
  NumberGiven: { version: 1, personal: [], upcasts: {} },
}
