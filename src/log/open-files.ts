import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LogUnavailable } from './log.ts'

/** Files to be read, of which only some are open at a time. Throws what the system says, see `isAboutFile`. */
export interface OpenFiles {
  /** Reads at a place; the number of bytes is smaller where the file ends. */
  read(path: string, into: Buffer, length: number, from: number): number
  /** All of a file. */
  whole(path: string): Buffer
  /** To be told before a file is replaced. */
  forget(path: string): void
  close(): void
}

const MAX_OPEN = 64
/** The process, or the machine, has too much in hand: nothing is said about the file by that. */
const PASSING = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']

/** The system says that what stood in a file cannot be had, and not that it has too much to do. */
export const isAboutFile = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && 'syscall' in error

export function openFiles(): OpenFiles {
  /** In the order of their last use. */
  const open = new Map<string, number>()

  const forget = (path: string): void => {
    const handle = open.get(path)
    if (handle === undefined) return
    open.delete(path)
    closeSync(handle)
  }

  const opened = (path: string): number => {
    for (;;) {
      try {
        return openSync(path, 'r')
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (!PASSING.includes(code)) throw error
        const [oldest] = open.keys()
        if (oldest === undefined) throw new LogUnavailable(`${path} cannot be opened now (${code})`, { cause: error })
        forget(oldest)
      }
    }
  }

  const handleOf = (path: string): number => {
    const handle = open.get(path) ?? opened(path)
    open.delete(path)
    open.set(path, handle)
    const [oldest] = open.keys()
    if (open.size > MAX_OPEN && oldest !== undefined) forget(oldest)
    return handle
  }

  const read = (path: string, into: Buffer, length: number, from: number): number => {
    const handle = handleOf(path)
    let done = 0
    while (done < length) {
      const bytes = readSync(handle, into, done, length - done, from + done)
      if (bytes === 0) break
      done += bytes
    }
    return done
  }

  return {
    read,
    whole(path) {
      const bytes = Buffer.allocUnsafe(fstatSync(handleOf(path)).size)
      return bytes.subarray(0, read(path, bytes, bytes.length, 0))
    },
    forget,
    close() {
      for (const path of [...open.keys()]) forget(path)
    },
  }
}
