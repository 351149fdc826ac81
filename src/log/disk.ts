import type { Codec } from './codec.ts'
import { convert } from './conversion.ts'
import { expectFormat, expectReadable, FORMAT, readFormat, remade, writeFormat } from './format-file.ts'
import { type LogNotes, onceEach } from './log-notes.ts'
import { type Row, recordText } from './record.ts'
import { type SegmentReader, segmentReader } from './segment-reader.ts'
import { refresher } from './segment-refresh.ts'
import { openSegmentWriter } from './segment-writer.ts'
import { openSegments, type Segment, type Segments } from './segments.ts'

/**
 * The files: events by position, and what leads from stream and revision to them. Reads are synchronous and see what is
 * durable; what is damaged is told, and never given.
 */
export interface Disk extends SegmentReader {
  /** -1 = no events. */
  lastPosition(): number
  /** Durable when it resolves; one call at a time. */
  write(rows: readonly Row[]): Promise<void>
  /** Resolves when there is room for some events, rejects as `write` does. */
  prepare(): Promise<void>
  close(): Promise<void>
}

export interface DiskOptions extends LogNotes {
  readonly directory: string
  readonly codec: Codec
  /** A segment that is as large gets no more events. Default 64 MiB. */
  readonly segmentBytes?: number | undefined
}

const SEGMENT_BYTES = 64 * 2 ** 20

/** To read and to write. The directory is there, and is nobody else's. */
export async function openDisk({ segmentBytes = SEGMENT_BYTES, ...options }: DiskOptions): Promise<Disk> {
  const notes = onceEach(options)
  const { directory, codec } = options
  await convert({ directory, segmentBytes, note: notes.note })
  const format = readFormat(directory)
  expectFormat(format, directory)
  const waiting: (readonly [Segment, number])[] = []
  let onIndexed = (segment: Segment, bytes: number): void => void waiting.push([segment, bytes])
  const segments = openSegments({
    ...{ directory, readOnly: false, ...notes },
    onIndexed: (segment, bytes) => onIndexed(segment, bytes),
  })
  if (segments.list.length === 0 && format !== 'none')
    throw new Error(`the log in ${directory} has no segment any more: all of its events are lost. ${ANEW}`)
  // A start may have ended between its first segment and the file that says how to read it.
  const isNew = segments.end() === 0
  const writer = await openSegmentWriter({ directory, segments, segmentBytes, note: notes.note })
  onIndexed = writer.reindexed
  for (const [segment, bytes] of waiting) writer.reindexed(segment, bytes)
  if (format === 'spoilt' || (format === 'none' && !isNew)) notes.note('warn', remade(directory))
  if (format !== FORMAT) await writeFormat(directory)
  const reader = segmentReader(segments, codec, notes)
  tellSpoilt(segments, reader)
  return {
    ...reader,
    lastPosition: () => segments.end() - 1,
    write: (rows) => writer.write(rows, rows.map(recordText)),
    prepare: writer.prepare,
    async close() {
      await writer.close()
      segments.files.close()
    },
  }
}

/** To look on, whether or not a server writes. */
export function openDiskReadOnly({ directory, codec, ...options }: DiskOptions): Disk {
  const notes = onceEach(options)
  expectReadable(directory)
  const segments = openSegments({ directory, readOnly: true, ...notes, onIndexed: () => {} })
  const refresh = refresher(segments, directory, notes.note)
  const reader = segmentReader(segments, codec, notes)
  tellSpoilt(segments, reader)
  return {
    ...reader,
    lastPosition() {
      refresh()
      return segments.end() - 1
    },
    lastRevision(stream) {
      refresh()
      return reader.lastRevision(stream)
    },
    write: refuse,
    prepare: refuse,
    close: async () => segments.files.close(),
  }
}

/** What was found spoilt in the open segment is told at the start, and not only to whoever reads it. */
function tellSpoilt({ open }: Segments, reader: SegmentReader): void {
  for (const { event } of open?.faults ?? []) if (event !== undefined) reader.scan(event, event, false, 1)
}

const refuse = (): Promise<never> => Promise.reject(new Error('what was opened to look on cannot be written'))

const ANEW = 'Put LYCEUM_DATA/log back from a backup; to begin anew, remove what is left of it'
