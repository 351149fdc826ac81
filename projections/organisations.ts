import { type Recorded, unreachable } from '../machines/kernel.ts'
import type { HowOpened, OrganisationEvent } from '../machines/organisation/events.ts'
import { projectionOf, type Row } from './projection.ts'

/** One organisation that was opened, for lists. */
export interface OrganisationRow extends Row {
  readonly title: string | null
  readonly how: HowOpened
  /** Milliseconds since 1970. */
  readonly openedAt: number
}

/** Rows by organisation. Lists: `id/<org>`, all of them. */
export const organisations = projectionOf<OrganisationRow, 'organisation'>('organisation', {
  name: 'organisations',
  version: 1,
  fold,
  index: (org) => [`id/${org}`],
})

function fold(
  row: OrganisationRow | undefined,
  { event, revision: seq, stream }: Recorded<OrganisationEvent>,
): OrganisationRow {
  switch (event.type) {
    case 'OrganisationOpened':
      return { seq, title: event.title, how: event.how, openedAt: event.at }
    case 'OrganisationRenamed':
      if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} and was never opened`)
      return { ...row, seq, title: event.title }
    default:
      return unreachable(event)
  }
}
