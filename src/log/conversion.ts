import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import { OLD, readFormat, writeFormat } from './format-file.ts'
import type { LogNotes } from './log-notes.ts'
import type { Placed } from './segment-format.ts'
import { openSegmentWriter } from './segment-writer.ts'
import { openSegments } from './segments.ts'
import { syncDirectory } from './sync-directory.ts'

const KEPT = 'log.mdb.converted'
const OURS = /^(\d{20}\.(seg|idx|keys)(\.new)?|format\.new)$/
/** So many events in one frame. */
const AT_ONCE = 1_000
const PROGRESS_MS = 2_000

export interface ConversionOptions {
  readonly directory: string
  readonly segmentBytes: number
  readonly note: LogNotes['note']
}

/**
 * Makes segments of a log of format 1, where there is one; it stays beside them under another name. The format is said
 * to be 2 only when all of it is on the disk: what was begun and not ended begins anew. Throws a sentence when the old
 * file cannot be read.
 */
export async function convert(options: ConversionOptions): Promise<void> {
  const { directory, note } = options
  const old = join(directory, OLD)
  if (!existsSync(old)) return
  if (readFormat(directory) !== 'none' && existsSync(join(directory, KEPT)))
    throw new Error(
      `${old} stands beside ${KEPT}: an older release has run here since the log was converted, and what it wrote is ` +
        'not in the log. Move one of them away: the older release reads the first, this one what was converted',
    )
  if (readFormat(directory) === 'none') {
    for (const name of readdirSync(directory)) if (OURS.test(name)) await rm(join(directory, name))
    expectWhole(old)
    const events = await copy(old, options)
    await writeFormat(directory)
    note('info', `the log in ${directory} was converted to format 2: ${events} events`)
  }
  await rename(old, join(directory, KEPT))
  await rm(`${old}-lock`, { force: true })
  await syncDirectory(old)
  note('info', `${old} is called ${KEPT} now: it is not used any more, and may be removed once a backup has been made`)
}

async function copy(old: string, { directory, segmentBytes, note }: ConversionOptions): Promise<number> {
  const source = open({ path: old, overlappingSync: false, maxDbs: 4, readOnly: true })
  const segments = openSegments({ directory, readOnly: false, note, onDamage: () => {}, onIndexed: () => {} })
  const writer = await openSegmentWriter({ directory, segments, segmentBytes, note })
  try {
    const format = source.openDB<number, string>({ name: 'about', encoding: 'json' }).get('format')
    if (format !== 1) throw new Error(`${old} has format ${format}, which this release cannot convert`)
    const events = source.openDB<string, number>({ name: 'events', encoding: 'string' })
    const [last = -1] = events.getKeys({ reverse: true, limit: 1 })
    const revisions = new Map<string, number>()
    let toldAt = performance.now()
    for (let from = 0; from <= last; from += AT_ONCE) {
      const texts: string[] = []
      const rows: Placed[] = []
      for (let position = from; position <= last && position < from + AT_ONCE; position++) {
        const text = events.get(position)
        rows.push(placeOf(old, position, text, revisions))
        texts.push(`${text}\n`)
      }
      await writer.write(rows, texts)
      if (performance.now() - toldAt < PROGRESS_MS) continue
      toldAt = performance.now()
      note('info', `converting ${old} to format 2: ${from + rows.length} of ${last + 1} events`)
    }
    return last + 1
  } finally {
    await writer.close()
    segments.files.close()
    await source.close()
  }
}

/** Throws a sentence when it is not what stood there, or not the next event of its stream. */
function placeOf(old: string, position: number, text: string | undefined, revisions: Map<string, number>): Placed {
  try {
    if (text === undefined) throw new Error('it is missing')
    const { s, r, i, a } = JSON.parse(text) as Readonly<{ s: string; r: number; i: string; a: number }>
    if (!UUID.test(i)) throw new Error(`its id is ${JSON.stringify(i)}, which is none`)
    if (r !== (revisions.get(s) ?? -1) + 1)
      throw new Error(`it is event ${r} of ${s} after ${revisions.get(s) ?? 'none'}`)
    revisions.set(s, r)
    return { stream: s, revision: r, id: i, at: a, position: BigInt(position) }
  } catch (error) {
    throw new Error(
      `the event at position ${position} of ${old} cannot be converted: ${(error as Error).message}. The file is ` +
        'damaged and was not touched: put LYCEUM_DATA/log back from a backup',
    )
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where in the first two pages of LMDB's file it says how many pages there are, and which of the two is newer. */
const META = { magic: 24, pageBytes: 48, lastPage: 144, transaction: 152, end: 160 }
const LMDB_MAGIC = 0xbeefc0de
const LMDB_PAGE = 4_096

/** Reading behind the end of a file that was cut would end the process at once, without a word. */
function expectWhole(old: string): void {
  const { size } = statSync(old)
  const metas = [0, LMDB_PAGE].map((from) => metaIn(old, from)).filter((meta) => meta !== undefined)
  const newest = metas.sort((a, b) => Number(b.transaction - a.transaction))[0]
  const remedy = 'Put LYCEUM_DATA/log back from a backup'
  if (!newest) throw new Error(`${old} does not begin like a log of format 1: it is damaged. ${remedy}`)
  const due = (newest.lastPage + 1n) * BigInt(newest.pageBytes)
  if (BigInt(size) < due)
    throw new Error(`${old} is cut off: it has ${size} bytes, and should have ${due} at least. ${remedy}`)
}

function metaIn(old: string, from: number) {
  const bytes = Buffer.alloc(META.end)
  const file = openSync(old, 'r')
  try {
    if (readSync(file, bytes, 0, bytes.length, from) < bytes.length) return undefined
  } finally {
    closeSync(file)
  }
  if (bytes.readUInt32LE(META.magic) !== LMDB_MAGIC) return undefined
  return {
    pageBytes: bytes.readUInt32LE(META.pageBytes),
    lastPage: bytes.readBigUInt64LE(META.lastPage),
    transaction: bytes.readBigUInt64LE(META.transaction),
  }
}
