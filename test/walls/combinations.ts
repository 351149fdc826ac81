import type { Kind, Slot } from './kinds.ts'
import type { Organisation } from './organisation.ts'

/** Whose id stands in each slot: the asker's own organisation's, or a stranger's. */
export type Whose = 'own' | 'strange'

export type Values = Readonly<Record<string, string | number | undefined>>

/** The same question twice: once with the ids of another organisation, once with such as do not exist. */
export interface Pair {
  readonly whose: readonly Whose[]
  readonly foreign: Values
  readonly missing: Values
}

/** Every way to put strange ids into these slots that has at least one; of many slots one at a time, and all. */
export function mixes(slots: readonly Slot[]): readonly (readonly Whose[])[] {
  const walled = slots.flatMap(({ kind }, i) => (kind === 'plain' ? [] : [i]))
  const few = walled.length <= 3
  const sets = few
    ? Array.from({ length: 2 ** walled.length - 1 }, (_, n) => walled.filter((__, bit) => ((n + 1) >> bit) & 1))
    : [...walled.map((i) => [i]), walled]
  return sets.map((set) => slots.map((_, i) => (set.includes(i) ? 'strange' : 'own')))
}

/** How often the ids of several states are to be gone through. */
export const variantsOf = (slots: readonly Slot[], { ids }: Organisation): number =>
  Math.max(1, ...slots.map(({ kind }) => (kind === 'plain' ? 1 : ids[kind].length)))

/** The values of one mix. `optional`: left out where it is not strange. */
export function pairOf(
  slots: readonly (Slot & { readonly optional?: boolean })[],
  whose: readonly Whose[],
  variant: number,
  own: Organisation,
  other: Organisation,
): Pair {
  const at = (of: Organisation, kind: Kind): string | number => of.ids[kind][variant % of.ids[kind].length] ?? ''
  const pick = (strange: (kind: Kind) => string | number): Values =>
    Object.fromEntries(
      slots.map(({ name, kind, optional }, i) => {
        if (kind === 'plain') return [name, 1]
        if (whose[i] === 'strange') return [name, strange(kind)]
        return [name, optional ? undefined : at(own, kind)]
      }),
    )
  return {
    whose,
    foreign: pick((kind) => at(other, kind)),
    missing: pick((kind) => twinOf(at(other, kind), kind)),
  }
}

/** People may be called like anything, and are written down so; wrong codes and passwords are counted. */
const ANYTHING = new Set<Kind>(['person', 'org', 'email', 'lessonCode', 'checkInCode'])

/** In one slot a strange id of another kind than belongs there, and the asker's own ids around it. */
export function mistakenPairs(
  slots: readonly (Slot & { readonly optional?: boolean })[],
  own: Organisation,
  other: Organisation,
): readonly Pair[] {
  return slots.flatMap((slot, i) => {
    if (slot.kind === 'plain' || ANYTHING.has(slot.kind)) return []
    const whose = slots.map((_, n): Whose => (n === i ? 'strange' : 'own'))
    const { foreign: around } = pairOf(slots, whose, 0, own, other)
    const kinds = Object.entries(other.ids) as [Kind, readonly (string | number)[]][] // the keys of a Record
    return kinds.flatMap(([kind, ids]) => {
      // Numbers are small, and a project's may be that of one of the asker's own people.
      if (kind === slot.kind || (typeof ids[0] === 'number' && typeof around[slot.name] === 'number')) return []
      return ids.map((id) => ({
        ...{ whose, foreign: { ...around, [slot.name]: id } },
        missing: { ...around, [slot.name]: twinOf(id, kind) },
      }))
    })
  })
}

/** An id like this one that nobody has: as long, and next to it in every order. */
function twinOf(id: string | number, kind: Kind): string | number {
  if (typeof id === 'number') return id + (kind === 'project' ? 5_000 : 700_000)
  if (kind === 'email') return id.replace('@', '_@')
  if (kind === 'lessonCode' || kind === 'checkInCode') return id.slice(1) + id[0]
  return id.slice(0, -1) + (id.endsWith('x') ? 'y' : id.endsWith('f') ? '0' : following(id.at(-1) ?? ''))
}

const following = (character: string): string =>
  /[0-8a-eg-w]/.test(character) ? String.fromCharCode(character.charCodeAt(0) + 1) : 'x'

/**
 * An answer without what any two answers differ in: the ids that were sent, now or before, those that are made, times
 * and numbers. `strange`: what was sent before and may have been written down.
 */
export function bare(text: string, values: Values, strange: Iterable<string>): string {
  let left = text
  const sent = [...Object.values(values).map(String), ...strange].sort((a, b) => b.length - a.length)
  for (const id of sent) if (id.length > 2 && !/^\d+$/.test(id)) left = left.replaceAll(id, '<sent>')
  return left
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>')
    .replace(/visitor\.[\w-]{43}/g, '<secret>')
    .replace(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, '<id>')
    .replace(/("<sent>",?)+/g, '"<sent>"')
    .replace(/\d+/g, '#')
}

/** Every id of this organisation that names a person, and those next to them. */
export const peopleOf = ({ ids: { person } }: Organisation): readonly string[] =>
  person.flatMap((id) => [String(id), String(twinOf(id, 'person'))])
