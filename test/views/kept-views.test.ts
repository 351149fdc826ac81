import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { keptViews } from '../../src/views/kept-views.ts'
import { type Change, type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { company } from '../contracts/company.ts'
import { startServer } from '../support/server.ts'
import { NO_DISK, smallDisk } from '../support/small-disk.ts'

const TABLE = 'trial.v1.a'
const SLOW = { timeout: 20_000 }
let path: string
let told: string[]
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'lyceum-views-'))
  told = []
})
afterEach(() => rm(path, { recursive: true, force: true }))

const open = (directory = path): ViewStore =>
  keptViews(directory, {
    away: (error) => void told.push(`away: ${(error as Error).message}`),
    back: () => void told.push('back'),
    madeAgain: (why) => void told.push(`made again: ${why}`),
  })

const rowsFrom = (first: number, bytes = 100): Change[] =>
  Array.from({ length: 200 }, (_, i) => {
    const key = `row-${first + i}`
    return { key, row: { key, text: 'x'.repeat(bytes) }, added: [`index-${first + i}`], removed: [] }
  })

const at = (position: number) => ({ position: BigInt(position), id: `event-${position}` })

/** A table of a thousand rows that serves. */
async function written(): Promise<void> {
  const store = open()
  for (let i = 0; i < 5; i++)
    expect(await store.commit(TABLE, i === 0 ? null : at(i), at(i + 1), rowsFrom(i * 200))).toBe(true)
  await store.promote('trial', null, TABLE)
  await store.close()
}

/** Flips one bit of the file, as a disk may. */
function flip(file: string, byte: number): void {
  const bytes = readFileSync(file)
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (byte % 8))
  writeFileSync(file, bytes)
}

test('[DISK-40] views that were closed in order are used as they are', async () => {
  await written()
  const store = open()
  expect((await store.read(TABLE, ['row-7'])).rows).toEqual([{ key: 'row-7', text: 'x'.repeat(100) }])
  expect(told).toEqual([])
  await store.close()
})

test('[DISK-40] views that are cut or garbled are made again, and no process ends of it', async () => {
  await written()
  const file = join(path, 'data.mdb')
  const whole = readFileSync(file)
  const rows = (store: ViewStore) => store.scan(TABLE, { from: '', to: '~', limit: 2_000 })
  const before = open()
  const expected = await rows(before)
  await before.close()
  const spoilings: [string, () => void][] = [
    ['cut in half', () => truncateSync(file, whole.length / 2)],
    ['cut to nothing', () => truncateSync(file, 100)],
    ['overwritten', () => writeFileSync(file, Buffer.alloc(whole.length, 0xff))],
    ...Array.from({ length: 12 }, (_, i): [string, () => void] => [
      `bit ${i}`,
      () => flip(file, Math.floor((whole.length * (i + 0.5)) / 12) + 40),
    ]),
  ]
  for (const [how, spoil] of spoilings) {
    told = []
    writeFileSync(file, whole)
    spoil()
    const store = open()
    const found = await rows(store)
    if (told.length === 0) expect(found, `${how}: nothing of what is used was hit`).toEqual(expected)
    else {
      expect(told, how).toEqual([expect.stringMatching(/^made again: /)])
      expect([await store.live('trial'), found.entries]).toEqual([null, []])
      expect(await store.commit(TABLE, null, at(1), rowsFrom(0)), how).toBe(true)
    }
    await store.close()
  }
})

test('[DISK-40] a row that is spoilt while the views are open is never shown: all of them are made again', async () => {
  await written()
  const file = join(path, 'data.mdb')
  const place = readFileSync(file).lastIndexOf('"key":"row-3"')
  flip(file, place + '"key":"row-'.length)
  writeFileSync(join(path, 'closed'), `${statSync(file).size} ${statSync(file).mtimeMs}`) // nobody looks beforehand
  const store = open()
  await expect(store.read(TABLE, ['row-3'])).rejects.toThrow(ViewsUnavailable)
  await expect.poll(() => store.live('trial')).toBe(null)
  expect(told).toEqual(['made again: something in them is not what was written'])
  await store.close()
})

test('[DISK-41] without room they are away, nothing ends of it, and with room they are back', async (context) => {
  const disk = smallDisk(2) ?? context.skip(NO_DISK)
  disk.fill()
  const store = open(join(disk.path, 'views'))
  await expect(store.live('trial')).rejects.toThrow(ViewsUnavailable)
  expect(told).toEqual([expect.stringMatching(/^away: .*(ENOSPC|space)/)])
  disk.empty()
  await expect.poll(() => store.commit(TABLE, null, at(1), rowsFrom(0)).catch(() => 'away')).toBe(true)
  await store.close()
})

test('[DISK-41] a node whose views find no room goes on, says so, and lists again later', async (context) => {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const disk = smallDisk(2, join(data, 'views')) ?? context.skip(NO_DISK)
  const server = await startServer({ data })
  const acme = company(server)
  const ann = await acme.join('supervisor', 'ann')
  const first = await acme.chat('vera', ann)
  expect((await acme.http('supervisor', '/api/v1/chats')).status).toBe(200)
  disk.fill()
  const { visitor } = await acme.chat('vito', ann)
  let more = 0
  const oneMore = async (): Promise<number> => {
    await acme.chat(`visitor-${++more}`, ann, { text: 'x'.repeat(1_000) }) // what is free in the file is used first
    return (await acme.http('supervisor', '/api/v1/chats')).status
  }
  await expect.poll(oneMore, SLOW).toBe(503)
  await expect.poll(() => server.output(), SLOW).toContain('the views cannot be written')
  expect(await visitor.ask('visitor_msg', { text: 'chats go on' })).toEqual([true, null])
  server.kill('SIGKILL')
  await server.ended
  const next = await startServer({ data })
  const again = company(next, 'websocket', acme.org)
  const sue = await again.join('supervisor', 'sue')
  expect((await sue.told('staff_init')).unclaimed_chats).toHaveLength(2 + more)
  expect((await again.http('supervisor', '/api/v1/chats')).status).toBe(503)
  disk.empty()
  await expect.poll(async () => (await again.http('supervisor', '/api/v1/chats')).status, SLOW).toBe(200)
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  const { data: chats } = (await (await again.http('supervisor', '/api/v1/chats')).json()) as any
  expect(chats.map(({ id }: { id: string }) => id)).toContain(first.room)
  acme.close()
  again.close()
  expect(await next.stop()).toBe(0)
})
