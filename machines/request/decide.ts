import type { Decision } from '../kernel.ts'
import type { RequestCommand } from './commands.ts'
import type { RequestEvent } from './events.ts'
import type { RequestState } from './machine.ts'

/**
 * Never refuses: the same name for another request is refused by the room itself (`client-id-reused`), as for every
 * named call.
 */
export function decide(state: RequestState, { at }: RequestCommand): Decision<RequestEvent> {
  return state.matches('named') ? [] : [{ type: 'RequestNamed', at }]
}
