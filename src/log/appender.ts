import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { FRAME_HEADER } from './segment-format.ts'

/** Writes frames into one file, one after another. */
export interface Appender {
  /** Where the next frame goes. */
  end(): number
  /**
   * Resolves with where it stands, once it is on the disk. After a rejection nothing of it counts, and the same call
   * may be made again.
   */
  write(frame: Buffer): Promise<number>
  /** Makes room for a frame of some size, as far as there is none. Rejects like `write`. */
  prepare(): Promise<void>
  /** The file gets no more frames: what was prepared behind the last one is given back. */
  finish(): Promise<void>
  close(): Promise<void>
}

export interface AppendFrom {
  readonly end: number
  /** So much behind `end` was written and does not count. */
  readonly tornBytes: number
}

/**
 * Elsewhere than on Linux there is no such flag, or it does not wait for the disk itself: there each write is followed
 * by a call that does.
 */
const IS_SYNCED = process.platform === 'linux'
export const SYNCED = constants.O_RDWR | constants.O_CREAT | (IS_SYNCED ? constants.O_DSYNC : 0)

const MIB = 2 ** 20
const FIRST_AHEAD = MIB
const MAX_AHEAD = 16 * MIB
/** Zeros go into the file in pieces, so that frames get in between. */
const ZEROS = Buffer.alloc(MIB)

/**
 * Each write is on the disk when it returns (O_DSYNC). Zeros are written ahead of the frames, so that a flush need not
 * also record where the file grew, and so that a file which ends right behind its last frame is known to be cut.
 */
export async function openAppender(path: string, from: AppendFrom): Promise<Appender> {
  const file = await open(path, SYNCED)
  let end = from.end
  let size = (await file.stat()).size
  /** Behind `end` something may stand that does not count, up to here. */
  let dirtyTo = end + from.tornBytes
  let growing: Promise<void> | undefined

  const ahead = (): number => Math.min(MAX_AHEAD, Math.max(FIRST_AHEAD, end))

  async function grow(to: number): Promise<void> {
    while (size < to) {
      const bytes = ZEROS.subarray(0, Math.min(ZEROS.length, to - size))
      await writeAll(file, bytes, size)
      size += bytes.length
    }
  }

  const growBehind = (): void => {
    if (growing || size - end >= ahead() / 2) return
    growing = grow(end + ahead())
      .catch(() => {}) // whoever needs the room meets the error again
      .finally(() => {
        growing = undefined
      })
  }

  async function clean(): Promise<void> {
    for (let at = end; at < dirtyTo; at += ZEROS.length)
      await writeAll(file, ZEROS.subarray(0, Math.min(ZEROS.length, dirtyTo - at)), at)
    dirtyTo = end
  }

  /** The file has so many bytes at least. */
  async function room(needed: number): Promise<void> {
    if (size >= needed) return
    await growing
    await grow(Math.max(needed, end + ahead())).catch((error: unknown) => {
      if (size < needed) throw error
    })
  }

  return {
    end: () => end,
    async write(frame) {
      const needed = end + frame.length + FRAME_HEADER
      if (dirtyTo > end) await clean()
      await room(needed)
      const at = end
      dirtyTo = at + frame.length
      await writeAll(file, frame, at)
      end = dirtyTo
      growBehind()
      return at
    },
    async prepare() {
      if (dirtyTo > end) await clean()
      await room(end + MIB)
    },
    async finish() {
      await growing
      await file.truncate(end)
      await file.datasync()
      await file.close()
    },
    async close() {
      await growing
      await file.close()
    },
  }
}

/** On the disk when it resolves. */
export async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
  if (!IS_SYNCED) await file.datasync()
}

/** The disk, or what this user may have of it, is full: that may pass, and nothing is broken. */
export const isFull = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
