import { existsSync, readFileSync, statSync } from 'node:fs'
import { RECOVER } from './damaged.ts'
import { everyEvent, seenStreams } from './every-event.ts'
import { expectReadable } from './format-file.ts'
import { FileIndex } from './index-file.ts'
import { type LogNotes, onceEach } from './log-notes.ts'
import { readNotes } from './noted-owners.ts'
import type { MemoryIndex } from './segment-index.ts'
import { scanSegment } from './segment-scan.ts'
import { openSegments, pathOf, type Segment, type Segments, tellFaults } from './segments.ts'

export interface VerifiedLog {
  readonly events: number
  readonly streams: number
  readonly files: number
  readonly bytes: number
  /** Each a sentence. */
  readonly damage: readonly string[]
  /** So many of them are of events, which only a backup still has; all else is made again from the segments. */
  readonly losses: number
}

/**
 * Reads all files of a log and checks every checksum, every position and every revision, whether or not a server
 * writes to it. Holds one segment in memory, and some 150 bytes for each stream.
 */
export async function verifyLog(directory: string, tell: (sentence: string) => void): Promise<VerifiedLog> {
  const damage: string[] = []
  let losses = 0
  const damaged = (sentence: string): void => {
    damage.push(sentence)
    tell(sentence)
  }
  const found = (sentence: string): void => {
    losses++
    damaged(sentence)
  }
  const says = { info: tell, warn: damaged, error: found }
  const notes: LogNotes = onceEach({ onDamage: () => {}, note: (level, sentence) => says[level](sentence) })
  const spoiltFormat = expectReadable(directory)
  if (spoiltFormat) damaged(spoiltFormat)
  const segments = openSegments({ directory, readOnly: true, ...notes, onIndexed: () => {} })
  if (segments.list.length === 0) found(`${directory} has no segment: all events of the log are lost. ${RECOVER}`)
  try {
    let bytes = 0
    for (const segment of segments.list) {
      if (!existsSync(segment.path)) continue
      bytes += statSync(segment.path).size
      if (segment !== segments.open) checkSealed(segment, segments, directory, notes.note)
      else checkNotes(segment, directory, notes.note)
    }
    const events = await checkEvents(segments, found)
    return { ...events, files: segments.list.length, bytes, damage, losses }
  } finally {
    segments.files.close()
  }
}

async function checkEvents(segments: Segments, found: (sentence: string) => void) {
  const streams = seenStreams()
  const lost: (() => string)[] = []
  let events = 0
  for await (const batch of everyEvent(segments))
    for (const event of batch) {
      events++
      if (event.kind === 'whole') {
        const { placed } = event
        const due = streams.see(placed)
        if (due === undefined) continue
        const { stream, revision, position } = placed
        found(`${stream} is damaged: event ${revision} (position ${position}) stands where event ${due} should be`)
      } else {
        const { owner, why, name, position } = event
        if (owner) streams.pass(owner)
        // Names may come later in the log.
        lost.push(() =>
          owner
            ? `${name ?? streams.nameOf(owner)} is damaged at event ${owner.revision}: ${why}`
            : `the event at position ${position} is lost, and nothing tells whose it was: ${why}`,
        )
      }
    }
  for (const sentence of lost) found(sentence())
  return { events, streams: streams.count() }
}

/** Whether a segment is what its index says, and the other way round. */
function checkSealed({ path, first }: Segment, { files }: Segments, directory: string, note: LogNotes['note']): void {
  const indexPath = pathOf(directory, first, 'idx')
  const scanned = scanSegment(readFileSync(path), { first, noted: [], isOpen: false })
  tellFaults(path, scanned, note)
  if (!existsSync(indexPath)) {
    note('info', `${indexPath} is not there: it is made when the server starts`)
    return
  }
  try {
    const index = new FileIndex(indexPath, files)
    index.check()
    if (scanned.faults.length === 0 && !isSame(index, scanned.index))
      note('warn', `${indexPath} does not belong to its segment: it is made again when it is removed`)
  } catch (error) {
    note('warn', `${(error as Error).message}: the index is made again from ${path} when the server reads it`)
  }
}

function checkNotes({ first, path }: Segment, directory: string, note: LogNotes['note']): void {
  const keys = pathOf(directory, first, 'keys')
  const { spoiltAt } = readNotes(keys, first)
  if (spoiltAt === undefined) return
  note('warn', `${keys} does not match its checksums from byte ${spoiltAt} on: it is made again from ${path}`)
}

function isSame(index: FileIndex, scanned: MemoryIndex): boolean {
  if (index.count() !== scanned.count() || index.head.streams !== scanned.streams()) return false
  for (const { hash, first, count } of index.streams()) {
    const part = scanned.find(hash)
    if (part?.first !== first || part.count !== count) return false
  }
  return true
}

/** What is said at the end. */
export function summaryOf({ events, streams, files, bytes, damage, losses }: VerifiedLog): string {
  const size = `${events} events in ${streams} streams, ${files} segments, ${(bytes / 2 ** 20).toFixed(1)} MiB`
  if (damage.length === 0) return `${size}: whole`
  const found = `${size}: ${damage.length} ${damage.length === 1 ? 'damage' : 'damages'}`
  return losses > 0 ? `${found}. ${RECOVER}` : `${found}, and every event is whole: no backup is needed`
}
