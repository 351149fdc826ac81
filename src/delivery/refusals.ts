import type { Refusal } from '../../machines/kernel.ts'

/** The statuses of HTTP that a refusal can have. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 429 | 503

/**
 * What the refusals of a contract are called: code -> status and sentence. In a sentence `{why}` stands for the detail
 * `why`, and `{name:staffId}` for the display name of the person whose id the detail `staffId` is. In an ack the
 * sentence follows the code, `chat-closed: this chat has ended`; `exact` sentences are a document's own and stand
 * alone.
 */
export type Refusals = Readonly<Record<string, readonly [status: RefusalStatus, sentence: string, exact?: 'exact']>>

/**
 * What a client is told of a refusal, without its code. `nameOf` tells how a person is called whose id the details
 * hold. Throws when the code is not in the table, which is a bug.
 */
export const sentenceOf = (refusal: Refusal, table: Refusals, nameOf: (personId: string) => string): string =>
  refusalRow(refusal, table)[1].replace(/\{(name:)?(\w+)\}/g, (_, named: string | undefined, detail: string) => {
    const value = refusal.details[detail] ?? ''
    return named === undefined ? value : nameOf(value)
  })

/** What HTTP answers. What was deleted from the store is gone, and `damaged` otherwise. */
export const statusOf = (refusal: Refusal, table: Refusals): RefusalStatus =>
  refusal.code === 'damaged' && refusal.details.how === 'deleted' ? 410 : refusalRow(refusal, table)[0]

/** The refusal's row in the table. Throws when it has none, which is a bug. */
export function refusalRow({ code }: Refusal, table: Refusals): Refusals[string] {
  const row = Object.hasOwn(table, code) ? table[code] : undefined
  if (row === undefined) throw new Error(`the refusal ${code} stands in no table of those who may meet it`)
  return row
}
