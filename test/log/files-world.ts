import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codec } from '../../src/log/codec.ts'
import { StreamDamaged } from '../../src/log/damaged.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Log, Recorded } from '../../src/log/log.ts'
import { gather, notes } from './suite-world.ts'

/** Small, so that a few events fill several segments. */
const SEGMENT_BYTES = 16_384

/** A log whose files a test may spoil, and what was said of them. */
export interface Opened {
  readonly log: Log
  /** Sentences of at least this level; damage of streams is `error`. */
  said(level?: 'info' | 'warn' | 'error'): readonly string[]
}

const LEVELS = ['info', 'warn', 'error']

export async function openFiles(path: string, options: { readonly readOnly?: boolean } = {}): Promise<Opened> {
  const told: { readonly level: string; readonly sentence: string }[] = []
  const log = await openEmbeddedLog({
    ...{ path, codec: codec({}), now: Date.now, segmentBytes: SEGMENT_BYTES, readOnly: options.readOnly ?? false },
    onFatal(error) {
      throw error
    },
    notes: {
      onDamage: ({ message }) => told.push({ level: 'error', sentence: message }),
      note: (level, sentence) => told.push({ level, sentence }),
    },
  })
  const said: Opened['said'] = (level = 'warn') =>
    told.filter((one) => LEVELS.indexOf(one.level) >= LEVELS.indexOf(level)).map(({ sentence }) => sentence)
  return { log, said }
}

/** A directory of its own, removed by the caller; in memory where that can be had, for these tests write much. */
export const newDirectory = async (): Promise<string> =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : await realpath(tmpdir()), 'lyceum-files-'))

/** Rooms whose events are mixed, as many people write them at once. */
export async function writeRooms(log: Log, rooms: readonly string[], events: number): Promise<void> {
  for (let nth = 0; nth < events; nth++)
    for (let from = 0; from < rooms.length; from += AT_ONCE)
      await Promise.all(
        rooms.slice(from, from + AT_ONCE).map((room) => log.append(room, nth - 1, notes(`${nth} in ${room}`))),
      )
}

const AT_ONCE = 30

export const placeOf = ({ stream, revision, position, id }: Recorded): string =>
  `${stream}@${revision} at ${position}: ${id}`

export type Room = readonly string[] | StreamDamaged

/** What a reader sees of a log. */
export interface Seen {
  readonly all: readonly string[]
  readonly rooms: ReadonlyMap<string, Room>
}

export async function see(log: Log, rooms: readonly string[]): Promise<Seen> {
  const found = new Map<string, Room>()
  for (const room of rooms) found.set(room, await roomOf(log, room))
  return { all: (await gather(log.readAll())).map(textOf), rooms: found }
}

async function roomOf(log: Log, room: string): Promise<Room> {
  try {
    return (await gather(log.read(room))).map(textOf)
  } catch (error) {
    if (error instanceof StreamDamaged) return error
    throw error
  }
}

/** All of an event; of one that cannot be read, that. */
function textOf(recorded: Recorded): string {
  try {
    return `${placeOf(recorded)} ${JSON.stringify(recorded.event)}`
  } catch {
    return `${placeOf(recorded)} unreadable`
  }
}

/** The files of a log, without the lock. */
export const filesIn = (path: string, kind = ''): readonly string[] =>
  readdirSync(path)
    .filter((name) => !name.startsWith('writer.lock') && name.endsWith(kind))
    .sort()
    .map((name) => join(path, name))

/** Where something stands in a file: zeros at its end are not counted. */
export function usedBytes(file: string): number {
  const bytes = readFileSync(file)
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}

export function flip(file: string, bit: number): void {
  const bytes = readFileSync(file)
  const at = bit >> 3
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
  writeFileSync(file, bytes, { flag: 'r+' })
}

export async function copyOf(path: string): Promise<string> {
  const copy = await newDirectory()
  await cp(path, copy, { recursive: true })
  rmSync(join(copy, 'writer.lock'), { force: true })
  return copy
}

/** The same numbers each time. */
export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
