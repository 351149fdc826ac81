import { recordedIn } from '../faults/recorded.ts'
import type { TestServer } from '../support/server.ts'
import { bare, mistakenPairs, mixes, type Pair, pairOf, peopleOf, type Values, variantsOf } from './combinations.ts'
import type { Slot } from './kinds.ts'
import { type Organisation, ROLES } from './organisation.ts'

/** Who asks: everybody of one organisation, who came without a token, and who brings none. */
export const CALLERS = [...ROLES, 'anonymous', 'none'] as const
export type Caller = (typeof CALLERS)[number]

export interface Verdict {
  readonly cells: number
  /** What did not hold, one sentence each. */
  readonly wrong: readonly string[]
  /** Routes and events that told a strange id from one that nobody has. */
  readonly telling: ReadonlySet<string>
}

/** Keeps the count of a matrix. Of what is wrong in the same way the first few are enough. */
export class Tally {
  cells = 0
  readonly #wrong: string[] = []
  #more = 0
  readonly #telling = new Set<string>()

  /** Two answers of this route, or to this event, ought to have been one. */
  differs(of: string, what: string): void {
    this.#telling.add(of)
    this.blame(what)
  }

  blame(what: string): void {
    if (this.#wrong.length < MAX_WRONG) this.#wrong.push(what)
    else this.#more++
  }

  verdict(): Verdict {
    const rest = this.#more === 0 ? [] : [`and ${this.#more} more`]
    return { cells: this.cells, wrong: [...this.#wrong, ...rest], telling: this.#telling }
  }
}

const MAX_WRONG = 40

/** Every question that has a strange id in it, for slots of one route or event; `isWhole`: of any kind. */
export function pairsOf(
  slots: readonly (Slot & { readonly optional?: boolean })[],
  own: Organisation,
  other: Organisation,
  isWhole: boolean,
): readonly Pair[] {
  const pairs = mixes(slots).flatMap((whose) =>
    Array.from({ length: variantsOf(slots, other) }, (_, variant) => pairOf(slots, whose, variant, own, other)),
  )
  return isWhole ? [...pairs, ...mistakenPairs(slots, own, other)] : pairs
}

/**
 * What stands in `text` of the other organisation and was not in the question: a text of theirs, or an id of something
 * that they have. People are named by whoever issues tokens, so a name alone says nothing.
 */
export function leakIn(heard: string, { mark, ids }: Organisation, sent: Values = {}): string | null {
  let text = heard
  for (const value of Object.values(sent)) if (typeof value === 'string') text = text.replaceAll(value, '')
  if (text.includes(mark)) return `a text of ${mark} at ${around(text, mark)}`
  for (const kind of ['chat', 'lesson', 'course', 'session', 'video', 'quiz', 'lessonCode'] as const)
    for (const id of ids[kind])
      if (text.includes(String(id))) return `the ${kind} ${id} of ${mark} at ${around(text, String(id))}`
  return null
}

const around = (text: string, found: string): string => {
  const at = text.indexOf(found)
  return JSON.stringify(text.slice(Math.max(0, at - 60), at + found.length + 20))
}

/** In what two answers differ, but for the ids that were sent; null: in nothing. */
export function differenceOf(foreign: string, missing: string, pair: Pair, other: Organisation): string | null {
  const people = peopleOf(other)
  const [a, b] = [bare(foreign, pair.foreign, people), bare(missing, pair.missing, people)]
  return a === b ? null : `with a foreign id ${a.slice(0, 300)}, with one that nobody has ${b.slice(0, 300)}`
}

/** Remembers what stands in the log of an organisation; the function tells what others have changed there since. */
export async function untouched(
  { data }: Pick<TestServer, 'data'>,
  { org, ids }: Organisation,
  own: Organisation,
): Promise<() => Promise<readonly string[]>> {
  const before = (await recordedIn(data)).at(-1)?.position
  const theirs = new Set(Object.values(ids).flat().map(String))
  const isTheirs = (stream: string): boolean => {
    const id = stream.slice(stream.indexOf('-') + 1)
    if (id.startsWith(`${own.org}.`)) return false // people of one's own may be called like those of others
    return (
      theirs.has(id) || id.startsWith(`${org}.`) || id.split('.').some((part) => part.length > 8 && theirs.has(part))
    )
  }
  return async () =>
    (await recordedIn(data, before))
      .filter(({ stream, meta }) => isTheirs(stream) && meta.by !== 'system' && !meta.by.startsWith(`${org}.`))
      .map(({ stream, event, meta }) => `${event.type} in ${stream} by ${meta.by}`)
}
