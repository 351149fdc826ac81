import type { Recorded } from '../../machines/kernel.ts'
import { keepNewest } from '../keep-newest.ts'
import { type EventRef, eventRef } from './notice.ts'
import { OrderedKeys } from './ordered-keys.ts'

/** Named lists of rows by key; each keeps the order in which its rows came in. A list without rows takes no memory. */
export class MemoryLists<R> {
  readonly #lists = new Map<string, List<R>>()
  /** Of lists that became empty, the newest of them: their next opening still tells where they stand. */
  readonly #emptied = new Map<string, Newest>()
  readonly #weigh: (row: R) => number

  readonly #isOrdered: (name: string) => boolean

  /** `isOrdered`: of these lists the keys are kept in their order, too. */
  constructor(weigh: (row: R) => number = () => 0, isOrdered: (name: string) => boolean = () => false) {
    this.#weigh = weigh
    this.#isOrdered = isOrdered
  }

  rows(name: string): ReadonlyMap<string, R> {
    return this.#lists.get(name)?.rows ?? NOTHING
  }

  /** Of an ordered list, in the order of its keys, those behind this one. */
  *after(name: string, key: string): Generator<readonly [key: string, row: R]> {
    const list = this.#lists.get(name)
    for (const one of list?.ordered?.after(key) ?? []) {
      const row = list?.rows.get(one)
      if (row !== undefined) yield [one, row]
    }
  }

  weightOf(name: string): number {
    return this.#lists.get(name)?.weight ?? 0
  }

  newest(name: string): EventRef | undefined {
    return (this.#lists.get(name)?.newest ?? this.#emptied.get(name))?.ref
  }

  /**
   * The row, which stood in the lists `from`, stands in the lists `into` now; `recorded` is the event that moved it.
   */
  move(key: string, from: readonly string[], into: readonly string[], row: R | undefined, recorded?: Recorded): void {
    const newest = recorded && { position: recorded.position, ref: eventRef(recorded) }
    for (const name of from) if (!into.includes(name)) this.#leave(name, key, newest)
    if (row !== undefined) for (const name of into) this.#enter(name, key, row, newest)
  }

  #enter(name: string, key: string, row: R, newest: Newest | undefined): void {
    let list = this.#lists.get(name)
    if (!list) {
      const ordered = this.#isOrdered(name) ? new OrderedKeys() : undefined
      list = { rows: new Map(), weight: 0, newest: this.#emptied.get(name), ordered }
      this.#lists.set(name, list)
      this.#emptied.delete(name)
    }
    list.weight += this.#weigh(row) - this.#weightIn(list, key)
    if (list.ordered && !list.rows.has(key)) list.ordered.add(key)
    list.rows.set(key, row)
    list.newest = later(list.newest, newest)
  }

  #leave(name: string, key: string, newest: Newest | undefined): void {
    const list = this.#lists.get(name)
    if (!list) return
    list.weight -= this.#weightIn(list, key)
    list.rows.delete(key)
    list.ordered?.delete(key)
    list.newest = later(list.newest, newest)
    if (list.rows.size > 0) return
    this.#lists.delete(name)
    if (!list.newest) return
    this.#emptied.set(name, list.newest)
    keepNewest(this.#emptied, MAX_EMPTIED)
  }

  #weightIn({ rows }: List<R>, key: string): number {
    const row = rows.get(key)
    return row === undefined ? 0 : this.#weigh(row)
  }
}

interface Newest {
  readonly position: bigint
  readonly ref: EventRef
}

interface List<R> {
  readonly rows: Map<string, R>
  readonly ordered: OrderedKeys | undefined
  weight: number
  newest: Newest | undefined
}

const MAX_EMPTIED = 10_000
const NOTHING: ReadonlyMap<string, never> = new Map<string, never>()

const later = (one: Newest | undefined, other: Newest | undefined): Newest | undefined =>
  one && (!other || one.position > other.position) ? one : other
