import { type Decision, refuse } from '../kernel.ts'
import type { LoginCommand } from './commands.ts'
import type { LoginEvent } from './events.ts'
import type { LoginState } from './machine.ts'

/**
 * Refusals: `admin-only`. There is no upper bound on purpose: a refusal would tell one organisation that others know
 * the e-mail. Whoever reads the list bounds how far it looks.
 */
export function decide(state: LoginState, command: LoginCommand): Decision<LoginEvent> {
  const { by, org, person, at } = command
  const mayAdd = by.role === 'system' || (by.role === 'admin' && by.org === org)
  if (!mayAdd) return refuse('admin-only')
  if (state.context.accounts.some((known) => known.org === org && known.person === person)) return []
  return [{ type: 'LoginAdded', org, person, at }]
}
