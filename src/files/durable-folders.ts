import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What was made or renamed in a directory outlives a power loss when the directory was flushed. */
export type Flush = (directory: string) => Promise<void>

export const flushDirectory: Flush = async (directory) => {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a directory, with all that lead to it, and flushes their names. */
export async function makeRoot(root: string, flush: Flush): Promise<void> {
  const made = await mkdir(root, { recursive: true })
  const top = made ?? root // who made it may have been killed before its name was flushed
  for (let at = root; ; at = dirname(at)) {
    await flush(dirname(at)).catch((error: NodeJS.ErrnoException) => {
      // Whoever made the root in a directory that this process may not read has to see to its name.
      if (made !== undefined || error.code !== 'EACCES') throw error
    })
    if (at === top) return
  }
}

/**
 * Makes folders; resolves when the name of the folder is flushed, whoever made it: another put that has not come to
 * the flush yet, or a process that was killed before it. Each name is flushed once in the life of this process.
 */
export function durableFolders(flush: Flush): (folder: string) => Promise<void> {
  const flushed = new Map<string, Promise<void>>()

  return async (folder) => {
    const isNew = (await mkdir(folder, { recursive: true })) !== undefined
    const known = isNew ? undefined : flushed.get(folder)
    if (known) return known
    const flushing = flush(dirname(folder))
    flushed.set(folder, flushing)
    return flushing.catch((error) => {
      if (flushed.get(folder) === flushing) flushed.delete(folder)
      throw error
    })
  }
}
