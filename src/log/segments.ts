import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { RECOVER } from './damaged.ts'
import { FileIndex, IndexSpoilt } from './index-file.ts'
import type { LogNotes } from './log-notes.ts'
import { readNotes } from './noted-owners.ts'
import { isAboutFile, type OpenFiles, openFiles } from './open-files.ts'
import { MemoryIndex, type SegmentIndex } from './segment-index.ts'
import { type Scanned, scanSegment } from './segment-scan.ts'

/** One file of the log, and what leads to its events. */
export interface Segment {
  /** Position of its first event; its file is named by it. */
  readonly first: number
  readonly path: string
  index: SegmentIndex
}

/** The last segment, as it was found. */
export type OpenSegment = Segment & Scanned & { readonly isSpoilt: boolean }

export interface Segments {
  /** In the order of the log; never empty once there is an open one. */
  readonly list: Segment[]
  readonly files: OpenFiles
  /** The last one, which frames were written to; undefined: a new one is to begin. */
  readonly open: OpenSegment | undefined
  /** Position of the next event. */
  end(): number
  /** What `use` finds by the index, which is made again where it is spoilt. */
  lookUp<T>(segment: Segment, use: (index: SegmentIndex) => T): T
}

export interface SegmentsOptions extends LogNotes {
  readonly directory: string
  /** Nothing is written; and what cannot be told is passed over where a server would not start. */
  readonly readOnly: boolean
  /** The index of this segment was made again, and can be written. */
  readonly onIndexed: (segment: Segment, segmentBytes: number) => void
}

type LastOptions = Pick<SegmentsOptions, 'directory' | 'note' | 'readOnly'>

const nameOf = (first: number, kind: 'seg' | 'idx' | 'keys'): string => `${String(first).padStart(20, '0')}.${kind}`
export const pathOf = (directory: string, first: number, kind: 'seg' | 'idx' | 'keys'): string =>
  join(directory, nameOf(first, kind))

/** First positions of all segments that are there, in order. */
function segmentsIn(directory: string): readonly number[] {
  const names = readdirSync(directory).filter((name) => /^\d{20}\.seg$/.test(name))
  return names.map((name) => Number(name.slice(0, 20))).sort((a, b) => a - b)
}

/**
 * Finds the files of a log, and reads of each what is kept in memory: of sealed segments the beginnings of their
 * indexes, of the open one everything. Throws a sentence where events are lost and nothing tells whose they were.
 */
export function openSegments(options: SegmentsOptions): Segments {
  const { directory, readOnly, note, onIndexed } = options
  const files = openFiles()
  const list: Segment[] = []
  const firsts = segmentsIn(directory)
  let end = 0
  let open: OpenSegment | undefined

  const reindex = (segment: Segment, why: string): void => {
    if (!readOnly) note('warn', `${why}: the index is made again from ${segment.path}`)
    const index = rescan(segment, files, options)
    segment.index = index ?? lostEvents(segment.index.count())
    if (index && !readOnly) onIndexed(segment, statSync(segment.path).size)
  }

  const lookUp = <T>(segment: Segment, use: (index: SegmentIndex) => T): T => {
    try {
      return use(segment.index)
    } catch (error) {
      if (!(error instanceof IndexSpoilt) && !isAboutFile(error)) throw error
      reindex(segment, error.message)
      return use(segment.index)
    }
  }

  /** Segments whose files are gone, as long as something tells of them. */
  const passGone = (): void => {
    for (let ghost = ghostAt(options, files, end); ghost; ghost = ghostAt(options, files, end)) {
      list.push(ghost)
      open = undefined
      end += ghost.index.count()
      note('error', `${ghost.path} is missing: ${events(ghost.first, end)} are lost. ${RECOVER}`)
    }
  }

  const bridge = (to: number): void => {
    passGone()
    if (end >= to) return
    const lost = `${events(end, to)} are not in any file of ${directory}, and nothing tells whose they were`
    if (!readOnly) throw new Error(`${lost}: nothing can be decided on what is left. ${RECOVER}`)
    note('error', lost)
    list.push({ first: end, path: pathOf(directory, end, 'seg'), index: lostEvents(to - end) })
    end = to
  }

  for (const [nth, first] of firsts.entries()) {
    if (first > end) bridge(first)
    if (first < end)
      throw new Error(
        `${pathOf(directory, first, 'seg')} begins before the segment in front of it ends (at position ${end - 1}): ` +
          `files of two logs lie in one directory. ${RECOVER}`,
      )
    if (nth < firsts.length - 1) list.push(openSealed(first, files, options, reindex))
    else {
      open = openLast(first, options)
      if (open) list.push(open)
    }
    end = endOf(list)
  }
  passGone()

  return {
    list,
    files,
    open,
    end: () => endOf(list),
    lookUp,
  }
}

/** Position of the next event. */
function endOf(list: readonly Segment[]): number {
  const last = list.at(-1)
  return last ? last.first + last.index.count() : 0
}

const events = (from: number, to: number): string => `the events at positions ${from} to ${to - 1}`

function openSealed(
  first: number,
  files: OpenFiles,
  { directory, note }: SegmentsOptions,
  reindex: (segment: Segment, why: string) => void,
): Segment {
  const path = pathOf(directory, first, 'seg')
  const indexPath = pathOf(directory, first, 'idx')
  const segment: Segment = { first, path, index: lostEvents(0) }
  try {
    const index = new FileIndex(indexPath, files)
    if (index.head.first !== first) throw new IndexSpoilt(indexPath, 0)
    segment.index = index
    const { size } = statSync(path)
    const { segmentBytes } = index.head
    if (size < segmentBytes)
      note('error', `${path} is cut off: it has ${size} bytes, and had ${segmentBytes}. Events are lost. ${RECOVER}`)
  } catch (error) {
    if (error instanceof IndexSpoilt) reindex(segment, error.message)
    else if ((error as NodeJS.ErrnoException).code === 'ENOENT') reindex(segment, `${indexPath} is not there`)
    else reindex(segment, `${indexPath} cannot be read (${(error as Error).message})`)
  }
  return segment
}

const LOOKS = 3
const LOOK_MS = 20

export function openLast(first: number, { directory, note, readOnly }: LastOptions): OpenSegment | undefined {
  const path = pathOf(directory, first, 'seg')
  const keys = pathOf(directory, first, 'keys')
  const { owners, spoiltAt } = readNotes(keys, first)
  if (spoiltAt !== undefined && !readOnly)
    note('warn', `${keys} does not match its checksums from byte ${spoiltAt} on: it is made again from ${path}`)
  const scan = (): Scanned => scanSegment(readFileSync(path), { first, noted: owners, isOpen: true })
  let scanned = scan()
  // A server may be in the midst of a write.
  for (let looks = 0; readOnly && scanned.faults.length > 0 && looks < LOOKS; looks++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
    scanned = scan()
  }
  tellFaults(path, scanned, note)
  if (scanned.tornBytes > 0 && !readOnly)
    note(
      'warn',
      `${path} ends with ${scanned.tornBytes} bytes that were not written whole when the machine, or the process, ` +
        'ended: nobody was told that they were, and they are cut off',
    )
  const isSpoilt = scanned.faults.length > 0
  if (isSpoilt && scanned.index.count() === 0 && !readOnly) {
    // One that begins at the same position takes its place.
    renameSync(path, `${path}.damaged`)
    return undefined
  }
  return { first, path, ...scanned, isSpoilt }
}

/** Of what concerns one event whoever reads it is told, with the stream's name. */
export function tellFaults(path: string, { faults }: Pick<Scanned, 'faults'>, note: LogNotes['note']): void {
  for (const { offset, what, isHarmless, event } of faults) {
    const sentence = `${path} is damaged at byte ${offset}: ${what}`
    if (isHarmless) note('warn', `${sentence}; nothing is lost by that`)
    else if (event === undefined) note('error', `${sentence}. ${RECOVER}`)
  }
}

/** The index of a sealed segment, made of what the segment says; undefined: it cannot be read. */
function rescan(
  { first, path }: Segment,
  files: OpenFiles,
  { note, directory }: SegmentsOptions,
): MemoryIndex | undefined {
  const { owners } = readNotes(pathOf(directory, first, 'keys'), first)
  let bytes: Buffer
  try {
    bytes = files.whole(path)
  } catch (error) {
    if (!isAboutFile(error)) throw error
    note('error', `${path} cannot be read (${(error as Error).message}): its events are lost. ${RECOVER}`)
    return undefined
  }
  const scanned = scanSegment(bytes, { first, noted: owners, isOpen: false })
  tellFaults(path, scanned, note)
  return scanned.index
}

/** What is known of a segment that should begin here, and whose file is gone. */
function ghostAt({ directory }: SegmentsOptions, files: OpenFiles, first: number): Segment | undefined {
  const path = pathOf(directory, first, 'seg')
  if (existsSync(path)) return undefined
  try {
    return { first, path, index: new FileIndex(pathOf(directory, first, 'idx'), files) }
  } catch {
    const { owners } = readNotes(pathOf(directory, first, 'keys'), first)
    return owners.length > 0 ? { first, path, index: lostEvents(owners.length, owners) } : undefined
  }
}

function lostEvents(number: number, owners: readonly Parameters<MemoryIndex['add']>[2][] = []): MemoryIndex {
  const index = new MemoryIndex()
  for (let nth = 0; nth < number; nth++) index.add(0, 0, owners[nth])
  return index
}
