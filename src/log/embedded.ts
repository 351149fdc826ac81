import { mkdirSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { nextTurn } from '../slices.ts'
import type { Codec } from './codec.ts'
import { lockData } from './data-lock.ts'
import { type Disk, openDisk, openDiskReadOnly } from './disk.ts'
import { FEED_BATCH, type Feed, followings } from './following.ts'
import { InvalidAppend, type Log, LogUnavailable, type Recorded } from './log.ts'
import type { LogNotes } from './log-notes.ts'
import { syncDirectory } from './sync-directory.ts'
import { openTail } from './tail.ts'
import { openWriter, type Writer } from './writer.ts'

export interface EmbeddedLogOptions {
  /** A directory; made when it does not exist. */
  readonly path: string
  readonly codec: Codec
  /** Milliseconds since 1970. */
  readonly now: () => number
  /**
   * A flush failed: every waiting and every later append is rejected, and the process should exit. Called at most once.
   */
  readonly onFatal: (error: unknown) => void
  /**
   * The disk is full, one sentence: appends are refused until null is told, and everything can be read.
   */
  readonly onFull?: (reason: string | null) => void
  /** Who is told of damage, and of what was done about it. */
  readonly notes?: LogNotes
  /** A file of the log that is as large gets no more events. Default 64 MiB. */
  readonly segmentBytes?: number | undefined
  /**
   * To look at a log, whether or not a server is writing it: appends are refused, followings look for news every 250
   * ms.
   */
  readonly readOnly?: boolean
}

const LOOK_MS = 250

/** What was found in one go. */
interface Portion {
  readonly events: readonly Recorded[]
  readonly isCut: boolean
}

const NOTHING: Portion = { events: [], isCut: false }

/**
 * The log in a directory of this machine. An append is acknowledged after its fsync, and nobody sees an event
 * earlier. Rejects when another process writes the directory, when there is nothing to read (`readOnly`), or when the
 * format is unknown.
 */
export async function openEmbeddedLog({
  path,
  codec,
  now,
  onFatal,
  onFull = () => {},
  notes = { onDamage: () => {}, note: () => {} },
  segmentBytes,
  readOnly = false,
}: EmbeddedLogOptions): Promise<Log> {
  const made = readOnly ? undefined : mkdirSync(path, { recursive: true })
  const directory = readOnly ? resolve(path) : realpathSync(path)
  for (let folder = resolve(path); made !== undefined && folder.startsWith(made); folder = dirname(folder))
    await syncDirectory(folder)
  const lock = readOnly ? undefined : lockData(directory)
  let disk: Disk
  try {
    disk = await (readOnly ? openDiskReadOnly : openDisk)({ directory, codec, segmentBytes, ...notes })
  } catch (error) {
    lock?.release()
    throw error
  }

  const tail = openTail(codec)
  const feed: Feed = {
    end: () => writer.durable(),
    slice: (after, upTo) =>
      tail.slice(after, upTo, FEED_BATCH) ?? disk.scan(Number(after) + 1, Number(upTo), false, FEED_BATCH),
    idAt: (position) =>
      position > writer.durable() ? undefined : disk.scan(Number(position), Number(position), false, 1)[0]?.id,
  }
  const followers = followings(feed)
  const writer: Writer = readOnly
    ? reader(directory, disk)
    : openWriter({
        codec,
        now,
        disk,
        onFatal,
        onFull: (error) => onFull(error === null ? null : fullness(directory, error)),
        flushed(rows) {
          tail.push(rows)
          // Whoever waits for the flush is answered first: pushes come behind their own acks, and leave with them.
          setImmediate(followers.wake)
        },
      })
  let looking: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined

  /**
   * Yields what `next` finds until it finds nothing, with a turn of the event loop between the batches if it has found
   * as much as may be found in one go.
   */
  async function* batches(limit: number, next: (limit: number) => Portion): AsyncGenerator<readonly Recorded[]> {
    for (let left = limit; left > 0; ) {
      if (closing) throw new LogUnavailable('the log is closed: nothing can be read')
      const asked = Math.min(left, FEED_BATCH)
      const { events, isCut } = next(asked)
      if (events.length === 0) return
      yield events
      left -= events.length
      // There may be no more; or damage, which only the next look tells.
      if (isCut || events.length === asked) await nextTurn()
    }
  }

  return {
    append: writer.append,

    read(stream, { from, backwards = false, limit = Number.POSITIVE_INFINITY, onDamage } = {}) {
      let upTo: number | undefined
      let isOver = false
      let next = from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0)
      return batches(limit, (asked) => {
        upTo ??= Number(writer.durable())
        if (isOver || next < 0 || (!backwards && next > writer.end(stream))) return NOTHING
        const told = onDamage && { onDamage }
        const portion = disk.scanStream(stream, { from: next, backwards, limit: asked, upTo, ...told })
        const { events, isCut } = portion
        isOver = onDamage !== undefined && !isCut && events.length < asked
        next = (events.at(-1)?.revision ?? next) + (backwards ? -1 : 1)
        return portion
      })
    },

    async *readAll({ from, backwards = false, limit = Number.POSITIVE_INFINITY } = {}) {
      const end = Number(writer.durable())
      let next = backwards ? Math.min(Number(from ?? end + 1) - 1, end) : Number(from ?? 0)
      yield* batches(limit, (asked) => {
        if (backwards ? next < 0 : next > end) return NOTHING
        const events = disk.scan(next, backwards ? 0 : end, backwards, asked)
        next = Number(events.at(-1)?.position ?? next) + (backwards ? -1 : 1)
        return { events, isCut: events.length < asked && (backwards ? next >= 0 : next <= end) }
      })
    },

    follow(options) {
      if (readOnly) looking ??= setInterval(followers.wake, LOOK_MS)
      return followers.follow(options)
    },

    close() {
      closing ??= (async () => {
        clearInterval(looking)
        await writer.close()
        await followers.close()
        await disk.close()
        lock?.release()
      })()
      return closing
    },
  }
}

const fullness = (directory: string, error: unknown): string =>
  `the disk under ${directory} is full (${(error as NodeJS.ErrnoException).code}): make room, and writing goes on`

/** In the place of the writer, where there is none. */
function reader(directory: string, disk: Disk): Writer {
  return {
    durable: () => BigInt(disk.lastPosition()),
    end: disk.lastRevision,
    append: () =>
      Promise.reject(
        new InvalidAppend(`${directory} was opened read-only: only the server that runs on it can append`),
      ),
    close: () => Promise.resolve(),
  }
}
