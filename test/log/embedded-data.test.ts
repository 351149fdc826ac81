import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { InvalidAppend, type Log } from '../../src/log/log.ts'
import { gather, notes, rejection, textOf } from './suite-world.ts'

let path: string
const opened: Log[] = []

beforeEach(async () => {
  path = await mkdtemp(join(await realpath(tmpdir()), 'lyceum-data-'))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.close()))
  await rm(path, { recursive: true })
})

async function open(options: { readonly readOnly?: boolean; readonly at?: string } = {}): Promise<Log> {
  const log = await openEmbeddedLog({
    path: options.at ?? path,
    readOnly: options.readOnly ?? false,
    codec: codec({}),
    now: Date.now,
    onFatal(error) {
      throw error
    },
  })
  opened.push(log)
  return log
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

/** Changes the file behind the log's back, while no log is open. */
async function tamper(
  change: (events: {
    put(key: number, value: string): Promise<unknown>
    remove(key: number): Promise<unknown>
  }) => Promise<unknown>,
) {
  const env = openLmdb({ path: join(path, 'log.mdb'), overlappingSync: false })
  await change(env.openDB<string, number>({ name: 'events', encoding: 'string' }))
  await env.close()
}

describe('embedded log, its directory', () => {
  it('is made when it does not exist', async () => {
    const log = await open({ at: join(path, 'new', 'deep.er') })
    await log.append('s', -1, notes('a'))
    expect(await gather(log.readAll())).toHaveLength(1)
  })

  it('has one writer: a second one is told which directory and what to do', async () => {
    await open()
    await symlink(path, join(path, 'alias'))
    for (const at of [path, join(path, 'alias')]) {
      const refused = String(await rejection(open({ at })))
      expect(refused).toContain(`the data directory ${path} is in use by another Lyceum process`)
      expect(refused).toContain('LYCEUM_DATA')
    }
  })

  it('is free again when the log is closed', async () => {
    await (await open()).close()
    await (await open()).append('s', -1, notes('a'))
  })

  it('is refused when another release wrote it in another format', async () => {
    await (await open()).close()
    const env = openLmdb({ path: join(path, 'log.mdb'), overlappingSync: false })
    await env.openDB<number, string>({ name: 'about', encoding: 'json' }).put('format', 2)
    await env.close()
    expect(String(await rejection(open()))).toContain('has format 2, this release reads format 1')
  })
})

describe('embedded log, read-only', () => {
  it('sees what a running server has written and goes on to write', async () => {
    const server = await open()
    await server.append('s', -1, notes(0))
    const reader = await open({ readOnly: true })
    expect((await gather(reader.read('s'))).map(textOf)).toEqual([0])
    // Far more than LMDB's first map, so that the reader must follow its growth.
    for (let first = 1; first < 2_001; first += 500)
      await server.append('s', first - 1, notes(...numbers(first, first + 500)))
    expect((await gather(reader.readAll())).map(textOf)).toEqual(numbers(0, 2_001))
    expect((await gather(reader.read('s', { backwards: true, limit: 1 }))).map(textOf)).toEqual([2_000])
  })

  it('follows a running server', async () => {
    const server = await open()
    await server.append('s', -1, notes(0))
    const reader = await open({ readOnly: true })
    const seen: unknown[] = []
    const live = Promise.withResolvers<void>()
    const both = Promise.withResolvers<void>()
    reader.follow({
      after: 'start',
      each(batch) {
        seen.push(...batch.map(textOf))
        if (seen.length === 2) both.resolve()
      },
      caughtUp: () => live.resolve(),
    })
    await live.promise
    await server.append('s', 0, notes(1))
    await both.promise
    expect(seen).toEqual([0, 1])
  })

  it('refuses to append', async () => {
    await (await open()).close()
    const reader = await open({ readOnly: true })
    const refused = await rejection(reader.append('s', -1, notes('x')))
    expect(refused).toBeInstanceOf(InvalidAppend)
    expect(String(refused)).toContain('read-only')
  })

  it('says where it looked when there is no log, and makes none', async () => {
    await mkdir(join(path, 'empty'))
    for (const at of [join(path, 'empty'), join(path, 'missing')]) {
      for (let attempt = 0; attempt < 2; attempt++)
        expect(String(await rejection(open({ at, readOnly: true })))).toContain(`there is no log in ${at}`)
    }
  })
})

describe('embedded log, damage', () => {
  beforeEach(async () => {
    const log = await open()
    await log.append('chat-acme.7', -1, notes(0, 1, 2))
    await log.close()
  })

  it.each([
    ['cut off', '{"s":"chat-acme.7","r":1,"i":"00'],
    ['of another stream', '{"s":"x","r":1,"i":"i","t":"T","a":1,"d":{},"m":{}}'],
    ['no record', 'null'],
  ])('names position and stream of a record that is %s', async (_, text) => {
    await tamper((events) => events.put(1, text))
    const log = await open()
    expect(String(await rejection(gather(log.read('chat-acme.7'))))).toContain(
      'position 1 (stream chat-acme.7) cannot be read',
    )
    // What is not damaged can be read.
    expect((await gather(log.read('chat-acme.7', { from: 2 }))).map(textOf)).toEqual([2])
  })

  it('names position and stream when the whole log is read', async () => {
    await tamper((events) => events.put(1, '{"s":"chat-acme.7","r":1,"i":"00'))
    const log = await open()
    expect(String(await rejection(gather(log.readAll())))).toContain('position 1 (stream chat-acme.7) cannot be read')
  })

  it('is not passed over when a record is missing', async () => {
    await tamper((events) => events.remove(1))
    const log = await open()
    expect(String(await rejection(gather(log.read('chat-acme.7'))))).toContain(
      'position 1 (stream chat-acme.7) cannot be read: the record is missing',
    )
    expect(String(await rejection(gather(log.readAll())))).toContain('position 1')
  })

  it('stops a following with the error, after the events before it', async () => {
    await tamper((events) => events.put(1, 'null'))
    const log = await open()
    const failure = Promise.withResolvers<unknown>()
    log.follow({ after: 'start', each: () => {}, failed: failure.resolve })
    expect(String(await failure.promise)).toContain('position 1')
  })
})

describe('embedded log, followers that fall behind', () => {
  it('are served from the disk until they have caught up', async () => {
    const log = await open()
    const gate = Promise.withResolvers<void>()
    const all = Promise.withResolvers<void>()
    const seen: unknown[] = []
    log.follow({
      after: 'end',
      async each(batch) {
        await gate.promise
        seen.push(...batch.map(textOf))
        if (seen.length === 7_000) all.resolve()
      },
    })
    // Three times what the tail in memory holds.
    for (let first = 0; first < 7_000; first += 1_000)
      await log.append('s', first - 1, notes(...numbers(first, first + 1_000)))
    gate.resolve()
    await all.promise
    expect(seen).toEqual(numbers(0, 7_000))
  })
})
