import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Codec } from './codec.ts'
import type { Recorded } from './log.ts'
import { parseRecord, type Row, recordText } from './record.ts'

const FORMAT = 1
const LAST = Number.MAX_SAFE_INTEGER

/**
 * The file: events by position, and an index from stream and revision to position. Reads are synchronous and see what
 * is committed.
 */
export interface Disk {
  /** -1 = no events. */
  lastPosition(): number
  /** Revision of the stream's last event, -1 = no stream. */
  lastRevision(stream: string): number
  /** Events from position `from` on to `to`, both inclusive (backwards: `to <= from`); at most `limit`. */
  scan(from: number, to: number, backwards: boolean, limit: number): Recorded[]
  /** Events of a stream from a revision on, either way, none behind position `upTo`; at most `limit`. */
  scanStream(stream: string, from: number, backwards: boolean, limit: number, upTo: number): Recorded[]
  /**
   * Everything written in one turn of the event loop is one transaction; its promise resolves when it is on the disk.
   */
  write(row: Row): Promise<unknown>
  close(): Promise<void>
}

export function openDisk(directory: string, codec: Codec, readOnly: boolean): Disk {
  const path = join(directory, 'log.mdb')
  if (readOnly && !existsSync(path)) {
    throw new Error(
      `there is no log in ${directory} (expected ${path}): check LYCEUM_DATA, or start the server once to create it`,
    )
  }
  // `overlappingSync` (lmdb-js's default) commits first and flushes later, and an fsync that fails then is never
  // reported. Without it the promise of a put stands for "written, fsynced, visible", a failure rejects it, and group
  // commit is as fast (bench: 57,000/s).
  const env = open({ path, overlappingSync: false, maxDbs: 4, readOnly })
  const about = env.openDB<number, string>({ name: 'about', encoding: 'json' })
  const events = env.openDB<string, number>({ name: 'events', encoding: 'string' })
  const index = env.openDB<number, [string, number]>({ name: 'index', encoding: 'ordered-binary' })
  const format = about.get('format')
  if (format === undefined && !readOnly) about.putSync('format', FORMAT)
  else if (format !== FORMAT) {
    void env.close() // nothing was written that it would have to wait for
    throw new Error(`${path} has format ${format}, this release reads format ${FORMAT}: use the release that wrote it`)
  }

  return {
    lastPosition() {
      for (const key of events.getKeys({ reverse: true, limit: 1 })) return key
      return -1
    },

    lastRevision(stream) {
      // Of most streams that are asked for there is nothing: one look is a fifth of a search, and revisions begin with
      // 0.
      if (index.get([stream, 0]) === undefined) return -1
      for (const key of index.getKeys({ start: [stream, LAST], end: [stream, -1], reverse: true, limit: 1 }))
        return key[1]
      return -1
    },

    scan(from, to, backwards, limit) {
      const found: Recorded[] = []
      // LMDB's `end` is exclusive, either way.
      for (const { key, value } of events.getRange({
        start: from,
        end: backwards ? to - 1 : to + 1,
        reverse: backwards,
        limit,
      })) {
        // Positions have no gaps in this log: a hole is a lost record, not to be passed over.
        const due = backwards ? from - found.length : from + found.length
        if (key !== due) parseRecord(codec, due, undefined)
        found.push(parseRecord(codec, key, value))
      }
      return found
    },

    scanStream(stream, from, backwards, limit, upTo) {
      const found: Recorded[] = []
      const end: [string, number] = backwards ? [stream, -1] : [stream, LAST]
      for (const { value: position } of index.getRange({ start: [stream, from], end, reverse: backwards })) {
        if (position > upTo) continue
        found.push(parseRecord(codec, position, events.get(position), stream))
        if (found.length >= limit) break
      }
      return found
    },

    write(row) {
      const position = Number(row.position)
      const indexed = index.put([row.stream, row.revision], position)
      const stored = events.put(position, recordText(row))
      return indexed === stored ? stored : Promise.all([indexed, stored])
    },

    close: () => env.close(),
  }
}
