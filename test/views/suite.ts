import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Change, Json, ViewStore } from '../../src/views/store.ts'

export interface Opened {
  readonly store: ViewStore
  /** A second way into the same data, as another process or node would have it. */
  readonly other: ViewStore
  close(): Promise<void>
}

let views = 0

/** What every view store must do, whatever it is made of. */
export function viewStoreSuite(name: string, open: () => Promise<Opened>): void {
  describe(`the ${name} view store`, () => {
    let opened: Opened
    let store: ViewStore
    const freshView = () => `trial${++views}`
    const freshTable = () => `${freshView()}.v1.a`

    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(() => opened.close())

    test('a table that nobody wrote stands at null and holds nothing', async () => {
      const table = freshTable()
      expect(await store.read(table, ['a'])).toEqual({ upTo: null, rows: [undefined] })
      expect(await store.scan(table, all)).toEqual({ upTo: null, entries: [] })
    })

    test('a commit writes rows, index entries and the position together', async () => {
      const table = freshTable()
      expect(
        await store.commit(table, null, at(7n), [
          put('a', { seq: 0, text: 'grüße 🎈' }, ['by/1']),
          put('b', [1, null, 'x']),
        ]),
      ).toBe(true)
      expect(await store.read(table, ['b', 'none', 'a'])).toEqual({
        upTo: at(7n),
        rows: [[1, null, 'x'], undefined, { seq: 0, text: 'grüße 🎈' }],
      })
      expect(await store.scan(table, all)).toEqual({
        upTo: at(7n),
        entries: [{ index: 'by/1', key: 'a', row: { seq: 0, text: 'grüße 🎈' } }],
      })
    })

    test('[PAST-5] a commit from another position, or from another event there, changes nothing', async () => {
      const table = freshTable()
      await store.commit(table, null, at(7n), [put('a', 1, ['i'])])
      for (const from of [null, at(6n), at(8n), { ...at(7n), id: 'another' }])
        expect(await store.commit(table, from, at(9n), [put('a', 2, ['j'])])).toBe(false)
      expect(await store.scan(table, all)).toEqual({ upTo: at(7n), entries: [{ index: 'i', key: 'a', row: 1 }] })
    })

    test('of many commits from one position exactly one is taken', async () => {
      const table = freshTable()
      const both = [store, opened.other]
      const taken = await Promise.all(
        Array.from({ length: 20 }, (_, n) => both[n % 2]?.commit(table, null, at(1n), [put('winner', n)])),
      )
      const winner = taken.indexOf(true)
      expect(taken.filter(Boolean)).toHaveLength(1)
      expect(await store.read(table, ['winner'])).toEqual({ upTo: at(1n), rows: [winner] })
    })

    test('what one writes the other reads', async () => {
      const table = freshTable()
      for (let n = 1n; n <= 10n; n++) {
        expect(
          await store.commit(table, n === 1n ? null : at(n - 1n), at(n), [put('a', `${n}`, n === 1n ? ['i'] : [])]),
        ).toBe(true)
        expect(await opened.other.read(table, ['a'])).toEqual({ upTo: at(n), rows: [`${n}`] })
      }
    })

    test('a removed row is gone, and so are the entries that it loses', async () => {
      const table = freshTable()
      await store.commit(table, null, at(1n), [put('a', 1, ['x', 'y']), put('b', 2, ['z'])])
      await store.commit(table, at(1n), at(2n), [{ key: 'a', row: null, added: [], removed: ['x', 'y'] }])
      expect(await store.read(table, ['a', 'b'])).toEqual({ upTo: at(2n), rows: [undefined, 2] })
      expect(indexes(await store.scan(table, all))).toEqual(['z'])
    })

    test('an entry that is removed and added in one commit stands', async () => {
      const table = freshTable()
      await store.commit(table, null, at(1n), [put('a', 1, ['x'])])
      await store.commit(table, at(1n), at(2n), [{ key: 'a', row: 2, added: ['x'], removed: ['x'] }])
      expect(indexes(await store.scan(table, all))).toEqual(['x'])
    })

    test('a commit without changes moves the position only', async () => {
      const table = freshTable()
      expect(await store.commit(table, null, at(3n), [])).toBe(true)
      expect(await store.read(table, [])).toEqual({ upTo: at(3n), rows: [] })
    })

    test('positions of 64 bits are kept exactly', async () => {
      const table = freshTable()
      await store.commit(table, null, at(18_446_744_073_709_551_615n), [])
      expect((await store.read(table, [])).upTo).toEqual(at(18_446_744_073_709_551_615n))
    })

    test('a scan goes in byte order from inclusive to exclusive, both ways, up to the limit', async () => {
      const table = freshTable()
      const names = ['a', 'B', 'a/2', 'a/10', 'a!', 'a~', 'b', 'aa']
      await store.commit(
        table,
        null,
        at(1n),
        names.map((index, n) => put(`k${n}`, n, [index])),
      )
      const scanned = async (from: string, to: string, limit = 100, backwards = false) =>
        indexes(await store.scan(table, { from, to, limit, backwards }))
      expect(await scanned('', '\x7f')).toEqual(['B', 'a', 'a!', 'a/10', 'a/2', 'aa', 'a~', 'b'])
      expect(await scanned('a', 'b')).toEqual(['a', 'a!', 'a/10', 'a/2', 'aa', 'a~'])
      expect(await scanned('a', 'b', 2)).toEqual(['a', 'a!'])
      expect(await scanned('a', 'b', 2, true)).toEqual(['a~', 'aa'])
      expect(await scanned('a/', 'a0', 100, true)).toEqual(['a/2', 'a/10'])
      expect(await scanned('b', 'a')).toEqual([])
      expect(await scanned('c', 'd')).toEqual([])
    })

    test('[TURN-5] a scan is cut behind so many characters of rows, both ways', async () => {
      const table = freshTable()
      const names = Array.from({ length: 60 }, (_, n) => `i${String(n).padStart(2, '0')}`)
      await store.commit(
        table,
        null,
        at(1n),
        names.map((index) => put(index, 'x'.repeat(98), [index])),
      )
      const cut = await store.scan(table, { ...all, characters: 3_000 })
      expect(cut.isCut).toBe(true)
      expect(indexes(cut)).toEqual(names.slice(0, 30))
      const rest = await store.scan(table, { ...all, from: 'i30', characters: 3_001 })
      expect(indexes(rest)).toEqual(names.slice(30))
      expect(rest.isCut).toBeUndefined()
      const backwards = await store.scan(table, { ...all, backwards: true, characters: 1 })
      expect([indexes(backwards), backwards.isCut]).toEqual([['i59'], true])
    })

    test('equal entries of several rows stand in order of the key', async () => {
      const table = freshTable()
      await store.commit(table, null, at(1n), [put('b', 2, ['same']), put('a', 1, ['same', 'samf'])])
      const { entries } = await store.scan(table, { from: 'same', to: 'samf', limit: 10 })
      expect(entries.map(({ key }) => key)).toEqual(['a', 'b'])
      await store.commit(table, at(1n), at(2n), [{ key: 'a', row: 1, added: [], removed: ['same'] }])
      expect((await store.scan(table, { from: 'same', to: 'samf', limit: 10 })).entries).toEqual([
        { index: 'same', key: 'b', row: 2 },
      ])
    })

    test('keys and entries of 512 characters are kept', async () => {
      const table = freshTable()
      await store.commit(table, null, at(1n), [put('k'.repeat(512), 1, ['i'.repeat(512)])])
      expect(await store.scan(table, all)).toEqual({
        upTo: at(1n),
        entries: [{ index: 'i'.repeat(512), key: 'k'.repeat(512), row: 1 }],
      })
    })

    test('a commit of ten thousand rows is one step', async () => {
      const table = freshTable()
      const keys = Array.from({ length: 10_000 }, (_, n) => `k${n}`)
      expect(
        await store.commit(
          table,
          null,
          at(1n),
          keys.map((key, n) => put(key, { n }, [`i${n}`, `j${n}`])),
        ),
      ).toBe(true)
      expect(
        await store.commit(
          table,
          at(1n),
          at(2n),
          keys.map((key) => ({ key, row: null, added: [], removed: [] })).slice(0, 9_000),
        ),
      ).toBe(true)
      expect((await store.read(table, keys)).rows.filter((row) => row !== undefined)).toHaveLength(1_000)
      expect((await store.scan(table, { from: 'i', to: 'k', limit: 15_000 })).entries).toHaveLength(15_000)
    })

    test('a view has no live table until one is promoted', async () => {
      const view = freshView()
      expect(await store.live(view)).toBe(null)
      expect(await store.promote(view, null, `${view}.v1.a`)).toBe(true)
      expect(await opened.other.live(view)).toBe(`${view}.v1.a`)
    })

    test('a promotion from another table than the live one is refused', async () => {
      const view = freshView()
      await store.promote(view, null, `${view}.v1.a`)
      expect(await store.promote(view, null, `${view}.v1.b`)).toBe(false)
      expect(await store.promote(view, `${view}.v1.b`, `${view}.v1.c`)).toBe(false)
      expect(await store.live(view)).toBe(`${view}.v1.a`)
    })

    test('a promotion drops every other table of the view and of no other view', async () => {
      const view = freshView()
      const [a, left, b, foreign] = [`${view}.v1.a`, `${view}.v1.left`, `${view}.v2.b`, `${view}x.v1.a`]
      for (const table of [a, left, b, foreign]) await store.commit(table, null, at(5n), [put('k', table, ['i'])])
      await store.promote(view, null, a)
      expect((await store.read(left, ['k'])).upTo).toBe(null)
      await store.commit(b, null, at(5n), [put('k', b, ['i'])])
      expect(await store.promote(view, a, b)).toBe(true)
      expect(await store.read(a, ['k'])).toEqual({ upTo: null, rows: [undefined] })
      expect(await store.scan(a, all)).toEqual({ upTo: null, entries: [] })
      expect(await store.read(b, ['k'])).toEqual({ upTo: at(5n), rows: [b] })
      expect(await store.read(foreign, ['k'])).toEqual({ upTo: at(5n), rows: [foreign] })
    })

    test('a dropped table that is written again begins empty', async () => {
      const view = freshView()
      await store.commit(`${view}.v1.a`, null, at(5n), [put('old', 1, ['old'])])
      await store.promote(view, null, `${view}.v1.b`)
      expect(await store.commit(`${view}.v1.a`, at(5n), at(6n), [])).toBe(false)
      expect(await store.commit(`${view}.v1.a`, null, at(6n), [put('new', 1, ['new'])])).toBe(true)
      expect((await store.read(`${view}.v1.a`, ['old'])).rows).toEqual([undefined])
      expect(indexes(await store.scan(`${view}.v1.a`, all))).toEqual(['new'])
    })
  })
}

/** An event that stands there. */
const at = (position: bigint) => ({ position, id: `event-${position}` })

const all = { from: '', to: '\x7f', limit: 1_000 }

const put = (key: string, row: Json, added: readonly string[] = []): Change => ({ key, row, added, removed: [] })

const indexes = (scanned: { entries: readonly { index: string }[] }): string[] =>
  scanned.entries.map(({ index }) => index)
