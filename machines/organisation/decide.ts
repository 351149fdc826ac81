import type { Command, Decision } from '../kernel.ts'
import type { HowOpened, OrganisationEvent } from './events.ts'
import type { OrganisationState } from './machine.ts'

export type OrganisationCommand = Command & {
  readonly type: 'OpenOrganisation'
  readonly how: HowOpened
  /** Null: it is called as before. */
  readonly title: string | null
}

/** Never refused: an organisation that is open stays so, and may be called otherwise. */
export function decide(state: OrganisationState, { how, title, at }: OrganisationCommand): Decision<OrganisationEvent> {
  if (!state.matches('open')) return [{ type: 'OrganisationOpened', how, title, at }]
  return title === null || title === state.context.title ? [] : [{ type: 'OrganisationRenamed', title, at }]
}
