import { closeSync, copyFileSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeIndex } from '../../src/log/index-build.ts'
import { FileIndex } from '../../src/log/index-file.ts'
import type { Log } from '../../src/log/log.ts'
import { openFiles as openFilesToRead } from '../../src/log/open-files.ts'
import { hashOf } from '../../src/log/segment-format.ts'
import { MemoryIndex } from '../../src/log/segment-index.ts'
import { filesIn, newDirectory, openFiles, usedBytes } from './files-world.ts'
import { gather, notes, rejection, textOf } from './suite-world.ts'

let path: string
beforeEach(async () => {
  path = await newDirectory()
})
afterEach(() => rmSync(path, { recursive: true }))

const last = (): string => filesIn(path, '.seg').at(-1) ?? ''
const texts = async (log: Log): Promise<unknown[]> => (await gather(log.readAll())).map(textOf)

/** A log with one event, and then another append whose frame is left as `tear` makes it. */
async function torn(tear: (frame: Buffer) => Buffer): Promise<number> {
  const { log } = await openFiles(path)
  await log.append('s', -1, notes('one'))
  const from = usedBytes(last())
  await log.append('s', 0, notes('two', 'x'.repeat(4_000), 'three'))
  const frame = readFileSync(last()).subarray(from, usedBytes(last()))
  // As after a loss of power: what is beside the segment was not written yet.
  const keys = `${path}.keys`
  copyFileSync(filesIn(path, '.keys')[0] ?? '', keys)
  await log.close()
  copyFileSync(keys, filesIn(path, '.keys')[0] ?? '')
  rmSync(keys)
  const file = openSync(last(), 'r+')
  writeSync(file, tear(frame), 0, frame.length, from)
  closeSync(file)
  return frame.length
}

/** What the disk did not write is still the zeros that were there before. */
const onlyUpTo =
  (length: number) =>
  (frame: Buffer): Buffer =>
    Buffer.concat([frame.subarray(0, length), Buffer.alloc(frame.length - length)])

describe('[DISK-3] a last frame that was not written whole', () => {
  it.each([
    ['its end is missing', onlyUpTo(3_000)],
    ['only its header is there', onlyUpTo(24)],
    ['only the beginning of its header is there', onlyUpTo(10)],
    ['its first sectors are missing', (frame: Buffer) => Buffer.concat([Buffer.alloc(1_024), frame.subarray(1_024)])],
    [
      'a sector in its midst is missing',
      (frame: Buffer) => Buffer.concat([frame.subarray(0, 1_000), Buffer.alloc(1_100), frame.subarray(2_100)]),
    ],
  ])('is cut off whole when %s, with one warning that says how much', async (_, tear) => {
    await torn(tear)
    const { log, said } = await openFiles(path)
    expect(await texts(log)).toEqual(['one'])
    expect(said()).toEqual([expect.stringMatching(/ends with \d+ bytes that were not written whole/)])
    await log.append('s', 0, notes('again'))
    await log.close()
    const again = await openFiles(path)
    expect(await texts(again.log)).toEqual(['one', 'again'])
    expect(again.said()).toEqual([])
    await again.log.close()
  })

  it('is not what a flipped bit makes of an event that was acknowledged', async () => {
    await torn((frame) => {
      const spoilt = Buffer.from(frame)
      spoilt[2_000] = (spoilt[2_000] ?? 0) ^ 1
      return spoilt
    })
    const { log, said } = await openFiles(path)
    expect(String(await rejection(gather(log.read('s'))))).toContain('s is damaged at event 2')
    expect(said('error').join()).toContain('does not match its checksum')
    await log.close()
  })
})

describe('[DISK-11] whoever looks on while a server writes', () => {
  it('sees what is durable, over many segments, and no more', async () => {
    const server = await openFiles(path)
    const looker = await (async () => {
      await server.log.append('s', -1, notes(0))
      return openFiles(path, { readOnly: true })
    })()
    for (let n = 1; n < 200; n++) {
      await server.log.append('s', n - 1, notes(n, 'x'.repeat(500)).slice(0, 1))
      if (n % 40 === 0) expect(await texts(looker.log)).toHaveLength(n + 1)
    }
    expect(filesIn(path, '.seg').length).toBeGreaterThan(3)
    expect(await texts(looker.log)).toEqual(await texts(server.log))
    expect((await gather(looker.log.read('s', { from: 150 }))).map(textOf)[0]).toBe(150)
    expect(looker.said('info')).toEqual([])
    await Promise.all([server.log.close(), looker.log.close()])
  })

  it('does not see half a frame, and leaves the files as they are', async () => {
    await torn(onlyUpTo(3_000))
    const before = filesIn(path).map((file) => readFileSync(file))
    const { log } = await openFiles(path, { readOnly: true })
    expect(await texts(log)).toEqual(['one'])
    await log.close()
    expect(filesIn(path).map((file) => readFileSync(file))).toEqual(before)
  })
})

describe('[DISK-7] a start reads the segment that is being written', () => {
  it('and the making of an index lets others have their turns', async () => {
    const index = new MemoryIndex()
    for (let n = 0; n < 100_000; n++)
      index.add(32 + n, 1, { hash: hashOf(`s-${n % 50_000}`), revision: n < 50_000 ? 0 : 1 })
    let turns = 0
    let isMade = false
    const count = (): void => {
      turns++
      if (!isMade) setImmediate(count)
    }
    setImmediate(count)
    await writeIndex(`${path}/0.idx`, index, 0, 100_032)
    isMade = true
    expect(turns).toBeGreaterThan(10)
    const files = openFilesToRead()
    const made = new FileIndex(`${path}/0.idx`, files)
    for (let n = 0; n < 50_000; n += 97)
      expect(made.find(hashOf(`s-${n}`))?.spots(0, 9)).toEqual(index.find(hashOf(`s-${n}`))?.spots(0, 9))
    let found = 0
    for (let n = 0; n < 1_000; n++) if (made.find(hashOf(`none-${n}`))) found++
    expect(found).toBe(0)
    expect(made.spots(99_998, 9)).toEqual(index.spots(99_998, 9))
    expect(made.ownerOf(70_000)).toEqual({ hash: hashOf('s-20000'), revision: 1 })
    files.close()
  })

  it('and of the others only the beginnings of their indexes', async () => {
    const { log } = await openFiles(path)
    for (let n = 0; n < 200; n++) await log.append(`s-${n}`, -1, notes('x'.repeat(1_000)))
    await log.close()
    const sealed = filesIn(path, '.seg').slice(0, -1)
    expect(sealed.length).toBeGreaterThan(5)
    // Not one byte of them is read: they may as well be other ones of the same size.
    for (const file of sealed) writeFileSync(file, Buffer.alloc(statSync(file).size))
    const { log: again, said } = await openFiles(path)
    expect(said('info')).toEqual([])
    expect(await rejection(gather(again.read('s-0')))).toMatchObject({ stream: 's-0', revision: 0 })
    await again.close()
  })
})
