import { closeSync, openSync, readSync } from 'node:fs'

/** Files to be read, of which only some are open at a time. */
export interface OpenFiles {
  /** Reads at a place; the number of bytes is smaller where the file ends. Throws what the system says. */
  read(path: string, into: Buffer, length: number, from: number): number
  /** To be told before a file is replaced. */
  forget(path: string): void
  close(): void
}

const MAX_OPEN = 64

export function openFiles(): OpenFiles {
  /** In the order of their last use. */
  const open = new Map<string, number>()

  const handleOf = (path: string): number => {
    const known = open.get(path)
    const handle = known ?? openSync(path, 'r')
    open.delete(path)
    open.set(path, handle)
    for (const [oldest, its] of open) {
      if (open.size <= MAX_OPEN) break
      open.delete(oldest)
      closeSync(its)
    }
    return handle
  }

  const forget = (path: string): void => {
    const handle = open.get(path)
    if (handle === undefined) return
    open.delete(path)
    closeSync(handle)
  }

  return {
    read(path, into, length, from) {
      const handle = handleOf(path)
      let done = 0
      while (done < length) {
        const read = readSync(handle, into, done, length - done, from + done)
        if (read === 0) break
        done += read
      }
      return done
    },
    forget,
    close() {
      for (const path of [...open.keys()]) forget(path)
    },
  }
}
