import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
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
    await writeFile(join(path, 'format'), `Lyceum log, format 3 ${crc32('Lyceum log, format 3').toString(16)}\n`)
    for (const readOnly of [false, true])
      expect(String(await rejection(open({ readOnly })))).toContain('has format 3, this release reads format 2')
  })
})

describe('embedded log, read-only', () => {
  it('sees what a running server has written and goes on to write', async () => {
    const server = await open()
    await server.append('s', -1, notes(0))
    const reader = await open({ readOnly: true })
    expect((await gather(reader.read('s'))).map(textOf)).toEqual([0])
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
