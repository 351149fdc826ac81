import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { catalogue, eventSchemas } from '../machines/catalogue.ts'
import type { Recorded } from '../machines/kernel.ts'
import { all } from '../src/contracts/all.ts'
import { codec } from '../src/log/codec.ts'
import { startActor } from '../src/runtime/actor.ts'
import { viewsOf } from '../src/storage.ts'

/** What older releases recorded must mean the same today: see `test/histories/README.md`. */
interface History {
  readonly stream: string
  readonly events: readonly {
    readonly id: string
    readonly revision: number
    readonly position: string
    readonly at: number
    readonly type: string
    readonly data: Readonly<Record<string, unknown>>
    readonly meta: Readonly<Record<string, unknown>>
    /** The machine's state after it. */
    readonly then: { readonly value: unknown; readonly context: unknown }
  }[]
  /** After the last event, by view; `row` null = none. */
  readonly views: Readonly<
    Record<string, { readonly key: string; readonly row: unknown; readonly index: readonly string[] }>
  >
}

const folder = join(import.meta.dirname, 'histories')
const recorded = codec(eventSchemas)
const kinds = Object.keys(catalogue) as (keyof typeof catalogue)[]
const historiesOf = (kind: string): readonly History[] =>
  JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8')) as History[]
const streams = kinds.flatMap((kind) => historiesOf(kind).map((history) => ({ kind, stream: history.stream, history })))

const toldBy = ({ stream, events }: History): readonly Recorded[] =>
  events.map(({ id, revision, position, at, type, data, meta }) => ({
    id,
    stream,
    revision,
    position: BigInt(position),
    at,
    event: recorded.decode(type, data, meta).event,
  }))

describe('the folder', () => {
  test('has one file for each kind, and no others', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
    expect(files.sort()).toEqual(kinds.map((kind) => `${kind}.json`).sort())
  })

  test.each(kinds)('has every event type of %s, and every state of its machine', (kind) => {
    const events = historiesOf(kind).flatMap((history) => history.events)
    expect([...new Set(events.map(({ type }) => type))].sort()).toEqual(Object.keys(catalogue[kind].events).sort())
    const { initial, states } = catalogue[kind].machine.config
    const reached = new Set<unknown>([initial, ...events.map(({ then }) => then.value)])
    expect([...reached].sort()).toEqual(Object.keys(states ?? {}).sort())
  })

  test.each(kinds)('has every version of every event type of %s that was ever written', (kind) => {
    const events = historiesOf(kind).flatMap((history) => history.events)
    for (const [type, { version }] of Object.entries(catalogue[kind].events)) {
      const versions = new Set(events.filter((event) => event.type === type).map(({ meta }) => meta.v ?? 1))
      expect([...versions].sort(), type).toEqual(Array.from({ length: version }, (_, i) => i + 1))
    }
  })

  test('gives each stream of a kind the name that its rooms have, and revisions without gaps', () => {
    for (const { kind, stream, history } of streams) {
      expect(stream).toMatch(new RegExp(`^${kind}-`))
      expect(history.events.map(({ revision }) => revision)).toEqual(history.events.map((_, nth) => nth))
    }
  })
})

describe.each(streams)('$stream', ({ kind, history }) => {
  test('moves its machine to the same state after each event', () => {
    const actor = startActor<{ readonly value: unknown; readonly context: unknown }>(catalogue[kind].machine)
    const states = toldBy(history).map(({ event }) => {
      actor.onEvent(event)
      const { value, context } = actor.state()
      return { value, context }
    })
    expect(states).toEqual(history.events.map(({ then }) => then))
  })

  test('folds to the same rows, which stand in the same lists', () => {
    const views: Record<string, object> = {}
    for (const projection of viewsOf(all)) {
      let row: ReturnType<typeof projection.fold>
      let key: string | null = null
      for (const recorded of toldBy(history)) {
        key = projection.key(recorded)
        if (key !== null) row = projection.fold(row, recorded)
      }
      if (key !== null)
        views[projection.name] = { key, row: row ?? null, index: row === undefined ? [] : projection.index(key, row) }
    }
    expect(views).toEqual(history.views)
  })

  test('is written today as it was then, where the shape has not changed', () => {
    for (const { id, type, data, meta } of history.events) {
      if ((meta.v ?? 1) !== (eventSchemas[type]?.version ?? 0)) continue
      const written = recorded.encode({ id, ...recorded.decode(type, data, meta) })
      expect({ type: written.type, data: JSON.parse(written.data), meta: JSON.parse(written.meta) }).toEqual({
        type,
        data,
        meta,
      })
    }
  })

  test('keeps personal data in the marked fields only', () => {
    for (const { type, data } of history.events) {
      const { personal, ...rest } = data
      const marked = eventSchemas[type]?.personal ?? []
      for (const field of Object.keys(personal ?? {})) expect(marked).toContain(field)
      for (const field of marked) expect(rest).not.toHaveProperty(field)
    }
  })
})
