import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StreamDamaged } from '../../src/log/damaged.ts'
import { recoverLog } from '../../src/log/recover-log.ts'
import { summaryOf, verifyLog } from '../../src/log/verify-log.ts'
import { lyceum } from '../faults/command-line.ts'
import { filesIn, flip, newDirectory, openFiles, see, writeRooms } from './files-world.ts'
import { notes, rejection } from './suite-world.ts'

const ROOMS = Array.from({ length: 40 }, (_, room) => `chat-${room}`)

let data: string
let path: string
beforeEach(async () => {
  data = await newDirectory()
  path = join(data, 'log')
  const { log } = await openFiles(path)
  await writeRooms(log, ROOMS, 8)
  await log.close()
})
afterEach(() => rmSync(data, { recursive: true }))

/** Spoils the event that holds this text. */
function spoil(text: string): void {
  for (const file of filesIn(path, '.seg')) {
    const byte = readFileSync(file).indexOf(text)
    if (byte >= 0) flip(file, byte * 8)
  }
}

const verify = () => verifyLog(path, () => {})

describe('[DISK-8] verify', () => {
  it('reads a log that is whole, beside a server that writes to it', async () => {
    const { log } = await openFiles(path)
    await log.append('more', -1, notes('x'))
    const verified = await verify()
    expect(verified).toMatchObject({ events: 321, streams: 41, damage: [] })
    expect(summaryOf(verified)).toMatch(/^321 events in 41 streams, \d+ segments, [\d.]+ MiB: whole$/)
    await log.close()
  })

  it('names each damage once: stream, event, file', async () => {
    spoil('"3 in chat-5"')
    spoil('"7 in chat-6"')
    const { damage } = await verify()
    for (const [room, revision] of [
      [5, 3],
      [6, 7],
    ])
      expect(damage.filter((line) => line.startsWith(`chat-${room} is damaged at event ${revision}: `))).toHaveLength(1)
  })

  it.each([
    ['an index that belongs to another segment', () => writeFileSync(index(0), readFileSync(index(1)))],
    ['a flipped bit in the last page of an index', () => flip(index(0), (readFileSync(index(0)).length - 8) * 8)],
    ['a missing segment', () => unlinkSync(filesIn(path, '.seg')[1] ?? '')],
    ['a spoilt "format"', () => flip(join(path, 'format'), 20)],
    ['spoilt notes', () => flip(filesIn(path, '.keys')[0] ?? '', 200)],
  ])('finds %s', async (_, hand) => {
    hand()
    expect((await verify()).damage).not.toEqual([])
  })

  it.each([
    ['an index', () => flip(index(0), (readFileSync(index(0)).length - 8) * 8), false],
    ['"format"', () => flip(join(path, 'format'), 20), false],
    ['notes', () => flip(filesIn(path, '.keys')[0] ?? '', 200), false],
    ['an event', () => spoil('"3 in chat-5"'), true],
    ['a segment that is gone', () => unlinkSync(filesIn(path, '.seg')[1] ?? ''), true],
  ])('of %s that is spoilt it tells whether a backup is needed', async (_, hand, isNeeded) => {
    hand()
    const verified = await verify()
    expect(verified.losses > 0).toBe(isNeeded)
    expect(summaryOf(verified).includes('from a backup')).toBe(isNeeded)
    expect(summaryOf(verified).includes('every event is whole')).toBe(!isNeeded)
  })

  it('on the command line ends with 1 when something is damaged, and with 0 when not', async () => {
    const env = { LYCEUM_DATA: data }
    expect(await lyceum(['log', 'verify'], env)).toContain(': whole')
    spoil('"3 in chat-5"')
    const said = String(await rejection(lyceum(['log', 'verify'], env)))
    expect(said).toContain('chat-5 is damaged at event 3: its record in')
    expect(said).toContain('lyceum log recover --to')
  })
})

describe('[DISK-9] recover', () => {
  it('copies each stream up to its first damaged event, tells the rest, and leaves its source alone', async () => {
    spoil('"3 in chat-5"')
    spoil('"7 in chat-6"')
    const before = filesIn(path).map((file) => readFileSync(file))
    const to = join(data, 'recovered')
    const said = await lyceum(['log', 'recover', '--to', to], { LYCEUM_DATA: data })
    expect(said).toContain('left out: chat-5 from event 3 on (5 events)')
    expect(said).toContain('left out: chat-6 from event 7 on (1 events)')
    expect(filesIn(path).map((file) => readFileSync(file))).toEqual(before)
    expect((await verifyLog(to, () => {})).damage).toEqual([])
    const { log } = await openFiles(to)
    const { all, rooms } = await see(log, ROOMS)
    expect(all).toHaveLength(40 * 8 - 6)
    for (const [room, events] of rooms) {
      if (events instanceof StreamDamaged) throw events
      expect(events).toHaveLength(room === 'chat-5' ? 3 : room === 'chat-6' ? 7 : 8)
    }
    await log.append('chat-5', 2, notes('goes on'))
    await log.close()
  })

  it('leaves out what stood in a file that is gone', async () => {
    unlinkSync(filesIn(path, '.seg')[1] ?? '')
    const { events, leftOut } = await recoverLog(path, join(data, 'to'), () => {})
    const left = [...leftOut.values()].reduce((sum, one) => sum + one.events, 0)
    expect(events + left).toBe(40 * 8)
    expect(leftOut.size).toBeGreaterThan(10)
  })

  it.each([
    ['the log', () => path],
    ['a directory in it', () => join(path, 'deep', 'to')],
    ['a link to it', () => join(linkTo(path), 'to')],
  ])('refuses %s, and leaves nothing there', async (_, where) => {
    const before = filesIn(path)
    const said = String(await rejection(recoverLog(path, where(), () => {})))
    expect(said).toContain('must not be the log itself, nor lie in it')
    expect(filesIn(path)).toEqual(before)
    expect(readdirSync(path).filter((name) => name === 'deep' || name === 'to')).toEqual([])
  })

  it('refuses a directory that is not empty', async () => {
    mkdirSync(join(data, 'to'))
    writeFileSync(join(data, 'to', 'mine'), '')
    expect(String(await rejection(recoverLog(path, join(data, 'to'), () => {})))).toContain('must be a directory that')
    expect(existsSync(join(data, 'to', 'format'))).toBe(false)
  })
})

function linkTo(directory: string): string {
  const link = join(data, 'link')
  symlinkSync(directory, link)
  return link
}

const index = (nth: number): string => filesIn(path, '.idx')[nth] ?? ''
