import { fullNameOf } from '../../../machines/person/profile.ts'
import { personName } from '../../../machines/stream.ts'
import { type PersonRow, people } from '../../../projections/people.ts'
import type { ViewRunner } from '../../views/runner.ts'

/** Whom teachers read about. Null where nobody has said it. */
export interface Named {
  readonly name: string | null
  readonly email: string | null
}

/** What is said of these people, in their order. Rejects with ViewsUnavailable. */
export async function peopleNamed(
  views: Pick<ViewRunner, 'get'>,
  org: string,
  ids: readonly string[],
): Promise<readonly Named[]> {
  if (ids.length === 0) return []
  const { rows } = await views.get<PersonRow>(
    people.name,
    ids.map((id) => personName({ org, id }).replace('.', '/')),
  )
  return rows.map((row) => ({ name: row ? fullNameOf(row.profile) : null, email: row?.profile.email ?? null }))
}
