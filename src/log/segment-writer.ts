import { open, rename, rm, stat } from 'node:fs/promises'
import { type Appender, openAppender, SYNCED, writeAll } from './appender.ts'
import { writeIndex } from './index-build.ts'
import { FileIndex } from './index-file.ts'
import type { LogNotes } from './log-notes.ts'
import { type NotedOwners, openNotes } from './noted-owners.ts'
import { frameOf, type Placed, SEGMENT_HEADER, segmentHeader } from './segment-format.ts'
import { MemoryIndex } from './segment-index.ts'
import { pathOf, type Segment, type Segments } from './segments.ts'
import { syncDirectory } from './sync-directory.ts'

export interface SegmentWriter {
  /**
   * One frame, with a text for each row: durable and to be read when it resolves. Rejects with what the system says;
   * nothing of it counts then, and another one may be written.
   */
  write(rows: readonly Placed[], texts: readonly string[]): Promise<void>
  /** After a disk that was full: resolves when there is room for some frames, rejects as `write` does. */
  prepare(): Promise<void>
  /** The index of a segment was made again in memory: its file is replaced. */
  reindexed(segment: Segment, segmentBytes: number): void
  close(): Promise<void>
}

export interface SegmentWriterOptions {
  readonly directory: string
  readonly segments: Segments
  /** A segment that is as large gets no more frames. */
  readonly segmentBytes: number
  readonly note: LogNotes['note']
}

/** The segment that frames go into. */
interface Current {
  readonly segment: Segment
  readonly index: MemoryIndex
  readonly appender: Appender
  readonly owners: NotedOwners
}

/** What a new segment has from its beginning: small, for a new log should cost next to nothing. */
const FIRST_BYTES = 2 ** 20

export async function openSegmentWriter(options: SegmentWriterOptions): Promise<SegmentWriter> {
  const { directory, segments, segmentBytes, note } = options
  const { list, files, open: last } = segments
  let sealing: Promise<void> = Promise.resolve()
  let current: Current
  let isRollDue = false

  const seal = async (segment: Segment, index: MemoryIndex, bytes: number): Promise<void> => {
    const path = pathOf(directory, segment.first, 'idx')
    try {
      await writeIndex(path, index, segment.first, bytes)
      files.forget(path)
      segment.index = new FileIndex(path, files)
      await rm(pathOf(directory, segment.first, 'keys'), { force: true })
    } catch (error) {
      note('warn', `${path} could not be written (${(error as Error).message}): it is made at the next start`)
    }
  }

  const reindexed = (segment: Segment, bytes: number): void => {
    const { index } = segment
    if (index instanceof MemoryIndex) sealing = sealing.then(() => seal(segment, index, bytes))
  }

  const begin = async (): Promise<Current> => {
    const first = segments.end()
    const path = pathOf(directory, first, 'seg')
    await createSegment(path, first)
    const appender = await openAppender(path, { end: SEGMENT_HEADER, tornBytes: 0 })
    const index = new MemoryIndex()
    const owners = await openNotes(pathOf(directory, first, 'keys'), first, index)
    const segment: Segment = { first, path, index }
    list.push(segment)
    return { segment, index, appender, owners }
  }

  const roll = async (): Promise<void> => {
    const { segment, index, appender, owners } = current
    current = await begin()
    isRollDue = false
    // From here on nothing can fail that whoever appends has to hear of.
    await owners.close().catch(() => {})
    const bytes = appender.end()
    await appender.finish().catch((error: unknown) => note('warn', `${segment.path}: ${(error as Error).message}`))
    sealing = sealing.then(() => seal(segment, index, bytes))
  }

  if (last && !last.isSpoilt) {
    const { first, path, index, end, tornBytes } = last
    const owners = await openNotes(pathOf(directory, first, 'keys'), first, index)
    current = { segment: last, index, appender: await openAppender(path, { end, tornBytes }), owners }
  } else {
    current = await begin()
    if (last) sealing = stat(last.path).then(({ size }) => seal(last, last.index, size))
  }

  return {
    async write(rows, texts) {
      const { bytes, starts, hashes } = frameOf(rows, texts)
      const { index: its, appender: so } = current
      isRollDue = its.count() > 0 && so.end() + bytes.length > segmentBytes
      if (isRollDue) await roll()
      const { index, appender, owners } = current
      const at = await appender.write(bytes)
      const written = rows.map(({ revision }, nth) => ({ hash: hashes[nth] ?? '', revision }))
      for (const [nth, owner] of written.entries()) {
        const start = starts[nth] ?? 0
        index.add(at + start, (starts[nth + 1] ?? bytes.length) - start, owner)
      }
      owners.add(written)
    },
    prepare: () => (isRollDue ? roll() : current.appender.prepare()),
    reindexed,
    async close() {
      await Promise.all([current.appender.close(), current.owners.close().catch(() => {})])
      await sealing
    },
  }
}

/** It gets its name when its beginning is on the disk. */
async function createSegment(path: string, first: number): Promise<void> {
  const temporary = `${path}.new`
  try {
    await rm(temporary, { force: true })
    const file = await open(temporary, SYNCED)
    try {
      const bytes = Buffer.alloc(FIRST_BYTES)
      segmentHeader(first).copy(bytes)
      await writeAll(file, bytes, 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await rename(temporary, path)
  await syncDirectory(path)
}
