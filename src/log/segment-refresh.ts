import { existsSync } from 'node:fs'
import type { LogNotes } from './log-notes.ts'
import { FRAME_HEADER, frameAt, hashAt, recordAt, revisionAt } from './segment-format.ts'
import type { MemoryIndex } from './segment-index.ts'
import { type OpenSegment, openLast, pathOf, type Segments } from './segments.ts'

/** How often a file is read anew in which something stands that is no whole frame. */
const RESCAN_MS = 1_000

/**
 * For whoever looks on while a server writes: each call takes what has come since the last one. A frame that is not
 * there as a whole yet is not there.
 */
export function refresher(segments: Segments, directory: string, note: LogNotes['note']): () => void {
  const { list, files } = segments
  const header = Buffer.alloc(FRAME_HEADER)
  let open = segments.open
  let end = open?.end ?? 0
  let scannedAt = performance.now()

  const take = ({ index, path, first }: OpenSegment): boolean => {
    if (files.read(path, header, FRAME_HEADER, end) < FRAME_HEADER) return false
    const frame = frameAt(header, 0)
    if (!frame || frame.first !== first + index.count()) return false
    const bytes = Buffer.allocUnsafe(frame.length)
    if (files.read(path, bytes, frame.length, end) < frame.length) return false
    if (!addFrame(index, bytes, end)) return false
    end += frame.length
    return true
  }

  const onward = (): boolean => {
    const first = segments.end()
    if (open?.first === first || !existsSync(pathOf(directory, first, 'seg'))) return false
    return adopt(openLast(first, { directory, note, readOnly: true }))
  }

  const adopt = (found: OpenSegment | undefined): boolean => {
    if (!found) return false
    if (open?.first === found.first) list.pop()
    list.push(found)
    open = found
    end = found.end
    return true
  }

  /** Something stands there that is not being written any more: damage. */
  const rescan = (): boolean => {
    if (!open || header.every((byte) => byte === 0) || performance.now() - scannedAt < RESCAN_MS) return false
    scannedAt = performance.now()
    const before = end
    adopt(openLast(open.first, { directory, note, readOnly: true }))
    return end > before
  }

  return () => {
    try {
      while ((open && take(open)) || onward() || rescan());
    } catch (error) {
      note('error', `the files in ${directory} cannot be read (${(error as Error).message})`)
    }
  }
}

/** False: not all of it is good, and nothing was added. */
function addFrame(index: MemoryIndex, bytes: Buffer, from: number): boolean {
  const starts: number[] = []
  for (let at = FRAME_HEADER; at < bytes.length; ) {
    const record = recordAt(bytes, at, bytes.length)
    if (!record?.isWhole || !record.isHeaderGood) return false
    starts.push(at)
    at = record.end
  }
  for (const [nth, at] of starts.entries()) {
    const owner = { hash: hashAt(bytes, at), revision: revisionAt(bytes, at) }
    index.add(from + at, (starts[nth + 1] ?? bytes.length) - at, owner)
  }
  return true
}
