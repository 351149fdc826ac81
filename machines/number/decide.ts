import type { Command, Decision } from '../kernel.ts'
import type { NumberEvent } from './events.ts'
import type { NumberState } from './machine.ts'

export type NumberCommand = Command & { readonly type: 'GiveNumber'; readonly number: number }

/** Never refused: whoever has one keeps it. */
export const decide = (state: NumberState, { number }: NumberCommand): Decision<NumberEvent> =>
  state.matches('none') ? [{ type: 'NumberGiven', number }] : []
