import { readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { damageIn, StreamDamaged } from '../../src/log/damaged.ts'
import type { Recorded } from '../../src/log/log.ts'
import { readable } from '../../src/log/readable.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { sized } from '../support/sized.ts'
import {
  copyOf,
  filesIn,
  flip,
  newDirectory,
  type Opened,
  openFiles,
  placeOf,
  random,
  type Seen,
  see,
  usedBytes,
  writeRooms,
} from './files-world.ts'
import { gather, notes, rejection } from './suite-world.ts'

/** For the tests of chance. */
const LONG = { timeout: sized(4, 40) * PATIENCE_MS }

const ROOMS = Array.from({ length: 200 }, (_, room) => `chat-${room}`)

let whole: string
let truth: Seen
const copies: string[] = []

beforeAll(async () => {
  whole = await newDirectory()
  const { log } = await openFiles(whole)
  await writeRooms(log, ROOMS, 3)
  truth = await see(log, ROOMS)
  await log.close()
})
afterEach(() => {
  for (const path of copies.splice(0)) rmSync(path, { recursive: true })
})
afterAll(() => rmSync(whole, { recursive: true }))

async function aCopy(): Promise<string> {
  const path = await copyOf(whole)
  copies.push(path)
  return path
}

/** Every room is as it was written, or damaged; the whole log has nothing that was never written; and it was said. */
function expectSaid(seen: Seen, said: readonly string[]): { readonly differs: boolean } {
  const damaged = [...seen.rooms].filter(([, room]) => room instanceof StreamDamaged).map(([name]) => name)
  for (const [name, room] of seen.rooms)
    if (!damaged.includes(name)) expect(room, `${name} is neither whole nor damaged`).toEqual(truth.rooms.get(name))
  const written = new Set(truth.all)
  const strange = seen.all.filter((event) => !written.has(event) && !event.startsWith('another'))
  expect(strange.filter((event) => !event.endsWith('unreadable'))).toEqual([])
  const differs = damaged.length + strange.length > 0 || seen.all.length < truth.all.length
  if (differs) expect(said.length).toBeGreaterThan(0)
  return { differs }
}

/** Opens the files, sees everything, and goes on to write. `refused`: the log was not opened, and why. */
async function look(path: string, afterOpening = (): void => {}) {
  let opened: Opened
  try {
    opened = await openFiles(path)
  } catch (error) {
    return { differs: true, said: [], refused: (error as Error).message }
  }
  const { log, said } = opened
  try {
    afterOpening()
    const seen = await see(log, ROOMS)
    const { differs } = expectSaid(seen, said())
    await log.append(`another-${seen.all.length}`, -1, notes('goes on'))
    return { differs, said: said() }
  } finally {
    await log.close()
  }
}

describe('[DISK-1] a flipped bit in any file of the log', () => {
  it('changes nothing that can be seen, or is told: before the start and while the log is open', LONG, async () => {
    const roll = random(16)
    let differed = 0
    for (let round = 0; round < sized(200, 5_000); round++) {
      const path = await aCopy()
      const files = filesIn(path)
      const file = files[roll(files.length)] ?? ''
      const bit = roll(usedBytes(file) * 8)
      const isBefore = round % 2 === 0
      if (isBefore) flip(file, bit)
      const { differs, refused } = await look(path, () => isBefore || flip(file, bit))
      expect(refused).toBeUndefined()
      if (differs) differed++
      for (const one of copies.splice(0)) rmSync(one, { recursive: true })
    }
    // Of those that hit nothing but what can be told otherwise, nobody sees anything.
    expect(differed).toBeGreaterThan(20)
  })

  it('no more than a block of the disk that is read as zeros, or as what stood elsewhere', LONG, async () => {
    const roll = random(3)
    for (let round = 0; round < sized(60, 2_000); round++) {
      const path = await aCopy()
      const files = filesIn(path)
      const file = files[roll(files.length)] ?? ''
      const bytes = readFileSync(file)
      const size = roll(2) === 0 ? 512 : 4_096
      const at = Math.floor(roll(usedBytes(file)) / size) * size
      if (roll(2) === 0) bytes.fill(0, at, Math.min(at + size, bytes.length))
      else bytes.copy(bytes, at, 0, Math.min(size, bytes.length - at))
      writeFileSync(file, bytes)
      const { refused } = await look(path)
      expect(refused).toBeUndefined()
      for (const one of copies.splice(0)) rmSync(one, { recursive: true })
    }
  })

  it('in the last event of a room makes it damaged, not shorter, and says where', async () => {
    const path = await aCopy()
    const [file, byte] = find(path, '"2 in chat-7"')
    flip(file, byte * 8)
    const { log, said } = await openFiles(path)
    const error = await rejection(gather(log.read('chat-7')))
    expect(error).toMatchObject({ stream: 'chat-7', revision: 2, isGone: false })
    expect(String(error)).toContain(`chat-7 is damaged at event 2: its record in ${file}, at byte`)
    expect(String(error)).toContain('lyceum log recover --to')
    expect(said('error').filter((line) => line.startsWith('chat-7 is damaged at event 2'))).toHaveLength(1)
    await log.close()
  })
})

describe('[DISK-5] what is damaged concerns its stream alone', () => {
  it('the whole log and followings tell its place where they would tell it, and go on', async () => {
    const path = await aCopy()
    const [file, byte] = find(path, '"1 in chat-7"')
    flip(file, byte * 8)
    const { log } = await openFiles(path)
    const places = truth.all.map((event) => event.replace(/ \{.*/, ''))
    const all = await gather(log.readAll())
    expect(all.map(placeOf)).toEqual(places)
    const followed: Recorded[] = []
    const caughtUp = Promise.withResolvers<void>()
    log.follow({ after: 'start', each: (batch) => void followed.push(...batch), caughtUp: caughtUp.resolve })
    await caughtUp.promise
    expect(followed.map(placeOf)).toEqual(places)
    const unreadable = followed.filter((one) => unreadIn(one) !== undefined)
    expect(unreadable.map(unreadIn)).toMatchObject([{ stream: 'chat-7', revision: 1 }])
    await log.close()
  })

  it('an append to it that rests on the damage is refused, what can be read of it is read', async () => {
    const path = await aCopy()
    const [file, byte] = find(path, '"1 in chat-7"')
    flip(file, byte * 8)
    const { log } = await openFiles(path)
    expect(await rejection(log.append('chat-7', 0, notes('x')))).toBeInstanceOf(StreamDamaged)
    const { events, damage } = await readable(log, 'chat-7')
    expect(events.map(({ revision }) => revision)).toEqual([0, 2])
    expect(damage).toMatchObject({ revision: 1 })
    expect((await gather(log.read('chat-7', { from: 2 }))).map(placeOf)).toHaveLength(1)
    expect(await rejection(gather(log.read('chat-7', { backwards: true })))).toBeInstanceOf(StreamDamaged)
    await log.close()
  })

  it('a following goes past events of which nothing is left', async () => {
    const path = await aCopy()
    const segment = filesIn(path, '.seg').at(-2) ?? ''
    unlinkSync(segment)
    const { log } = await openFiles(path)
    const followed: Recorded[] = []
    const two = Promise.withResolvers<void>()
    log.follow({
      after: 'start',
      each(batch) {
        followed.push(...batch)
        if (batch.some(({ stream }) => stream === 'another')) two.resolve()
      },
    })
    await log.append('another', -1, notes('goes on'))
    await two.promise
    const lost = truth.all.length + 1 - followed.length
    expect(lost).toBeGreaterThan(10)
    expect(await gather(log.readAll({ backwards: true }))).toHaveLength(followed.length)
    await log.close()
  })
})

describe('[DISK-2] a file that is cut off or missing', () => {
  it('at any length is told, and no room only looks shorter', LONG, async () => {
    const roll = random(7)
    for (let round = 0; round < sized(60, 1_000); round++) {
      const path = await aCopy()
      const files = filesIn(path)
      const file = files[roll(files.length)] ?? ''
      truncateSync(file, roll(usedBytes(file)))
      const { said, refused } = await look(path)
      expect(refused).toBeUndefined()
      if (file.endsWith('.seg')) expect(said.filter((line) => line.includes(file)).length).toBeGreaterThan(0)
      for (const one of copies.splice(0)) rmSync(one, { recursive: true })
    }
  })

  it('is named when the log is opened, and the rooms are damaged whose events it had', async () => {
    for (const segment of filesIn(whole, '.seg')) {
      const path = await aCopy()
      const gone = segment.replace(whole, path)
      unlinkSync(gone)
      const { log, said } = await openFiles(path)
      expect(said('error').some((line) => line.startsWith(`${gone} is missing: the events at positions`))).toBe(true)
      expectSaid(await see(log, ROOMS), said())
      await log.close()
    }
  })

  it('as the only one: all rooms are damaged; and with all that tells of it the log is not opened', async () => {
    const path = await newDirectory()
    copies.push(path)
    const first = await openFiles(path)
    await writeRooms(first.log, ['chat-0', 'chat-1'], 2)
    await first.log.close()
    unlinkSync(filesIn(path, '.seg')[0] ?? '')
    const { log } = await openFiles(path)
    const { all, rooms } = await see(log, ['chat-0', 'chat-1', 'chat-2'])
    expect(all).toEqual([])
    expect([...rooms.values()]).toEqual([expect.any(StreamDamaged), expect.any(StreamDamaged), []])
    await log.close()
    for (const file of [...filesIn(path, '.seg'), ...filesIn(path, '.keys')]) unlinkSync(file)
    expect(String(await rejection(openFiles(path)))).toContain('has no segment any more: all of its events are lost')
  })

  it('with all that tells of it: the log is not opened, for nobody knows whose events they were', async () => {
    const path = await aCopy()
    const [, segment = '', index = ''] = /^(.*)\.seg$/.exec(filesIn(path, '.seg')[1] ?? '') ?? []
    unlinkSync(`${segment}.seg`)
    unlinkSync(`${segment}.idx${index}`)
    const refused = String(await rejection(openFiles(path)))
    expect(refused).toContain('are not in any file of')
    expect(refused).toContain('from a backup')
    const { log, said } = await openFiles(path, { readOnly: true })
    expect((await see(log, ROOMS)).all.length).toBeLessThan(truth.all.length)
    expect(said('error')).not.toEqual([])
    await log.close()
  })
})

describe('[DISK-4] an index, the notes beside a segment and the file "format"', () => {
  it.each([
    ['an index that is missing', '.idx', unlinkSync],
    ['an index that is cut off', '.idx', (file: string) => truncateSync(file, 5_000)],
    ['an index with a flipped bit in its first page', '.idx', (file: string) => flip(file, 100)],
    ['an index with a flipped bit elsewhere', '.idx', (file: string) => flip(file, 5_000 * 8)],
    ['notes with a flipped bit', '.keys', (file: string) => flip(file, 300)],
    ['a missing "format"', 'format', unlinkSync],
    ['a flipped bit in "format"', 'format', (file: string) => flip(file, 8 * 20)],
  ])('%s is told once, and made again', async (_, kind, spoil) => {
    const path = await aCopy()
    const file = filesIn(path, kind)[0] ?? ''
    spoil(file)
    const { differs, said } = await look(path)
    expect(differs).toBe(false)
    expect(said).toHaveLength(1)
    expect(await look(path)).toEqual({ differs: false, said: [] })
  })
})

/** The file in which these bytes stand, and where. */
function find(path: string, text: string): readonly [file: string, byte: number] {
  for (const file of filesIn(path, '.seg')) {
    const byte = readFileSync(file).indexOf(text)
    if (byte >= 0) return [file, byte]
  }
  throw new Error(`${text} is in no file`)
}

function unreadIn(recorded: Recorded): StreamDamaged | undefined {
  try {
    void recorded.event
    return undefined
  } catch (error) {
    return damageIn(error)
  }
}
