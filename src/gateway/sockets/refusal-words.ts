import type { Refusal } from '../../../machines/kernel.ts'
import { displayNameOf } from '../../../machines/person/profile.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import { type Refusals, refusalRow, sentenceOf } from '../../delivery/refusals.ts'

/** Of whoever is called by an id in a sentence. */
const NAMED = /\{name:(\w+)\}/g

/**
 * A refusal as an ack words it: the code, which never changes, and a sentence, which may; `exact` sentences alone.
 * People of `org` are called by their names, or by their ids while the log does not answer. Rejects when the table does
 * not have the code, which is a bug.
 */
export async function refusalWords(
  refusal: Refusal,
  table: Refusals,
  org: string,
  profiles: Pick<ProfileCache, 'fetch'>,
): Promise<string> {
  const [, sentence, exact] = refusalRow(refusal, table)
  const names = new Map<string, string>()
  for (const [, detail = ''] of sentence.matchAll(NAMED)) {
    const id = refusal.details[detail]
    if (id === undefined) continue
    const person = await profiles.fetch({ org, id }).catch(() => undefined)
    names.set(id, displayNameOf(id, person?.profile ?? {}))
  }
  const text = sentenceOf(refusal, table, (id) => names.get(id) ?? id)
  return exact === 'exact' ? text : `${refusal.code}: ${text}`
}
