import { randomUUID } from 'node:crypto'
import type { Party } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Call } from '../../runtime/answer.ts'
import { derivedId } from '../../runtime/ids.ts'

/**
 * The id of what a call creates. With an `Idempotency-Key` it follows from the key, so that a repeat meets the same
 * entity. `kind` is for ever: an id that came of it in an older release must come of it in every later one.
 */
export const idFor = (kind: string, by: Party, { clientId }: Call): string =>
  clientId === undefined ? randomUUID().replaceAll('-', '') : derivedId(`${kind} ${personName(by)}\n${clientId}`)
