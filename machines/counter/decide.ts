import type { Command, Decision } from '../kernel.ts'
import type { CounterEvent } from './events.ts'
import type { CounterState } from './machine.ts'

export type CounterCommand = Command & { readonly type: 'TakeNumber'; readonly key: string }

/** Never refused. A number that is not used in the end is nobody's for ever. */
export const decide = (_: CounterState, { key }: CounterCommand): Decision<CounterEvent> => [
  { type: 'NumberTaken', key },
]
