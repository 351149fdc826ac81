import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { durableFolders, flushDirectory, makeRoot } from './durable-folders.ts'
import {
  type ByteSource,
  type FileStore,
  FilesUnavailable,
  isHash,
  limited,
  NoSuchFile,
  type StoredFile,
} from './file-store.ts'

const CHUNK_BYTES = 64 * 1024

/**
 * Files in a directory, as `ab/cd/<hash>`. Bytes are written in `aside/`, flushed, and renamed to their place, whose
 * directory is flushed as well: what `put` has answered outlives a power loss, and a crash leaves nothing but a file
 * in `aside/`. Other processes may use the same directory at the same time: nobody touches what may be theirs.
 *
 * @param flush of directories
 */
export async function openDirectoryFiles(directory: string, flush = flushDirectory): Promise<FileStore> {
  const root = resolve(directory)
  const aside = join(root, 'aside')
  const makeFolder = durableFolders(flush)
  await makeRoot(root, flush)
  await mkdir(aside, { recursive: true })

  const pathOf = (hash: string): string => {
    if (!isHash(hash)) throw new NoSuchFile('a file is called by the SHA-256 of its bytes')
    return join(root, hash.slice(0, 2), hash.slice(2, 4), hash)
  }

  const moveIn = async (from: string, hash: string): Promise<void> => {
    const path = pathOf(hash)
    const folder = dirname(path)
    await makeFolder(dirname(folder))
    await makeFolder(folder)
    await rename(from, path) // in place of the same bytes, if they are there: as new
    await flush(folder)
  }

  /** As new, because it may take the place of what was put meanwhile. */
  const putBack = async (taken: string, hash: string): Promise<void> => {
    const now = new Date(systemClock.now())
    await utimes(taken, now, now)
    await moveIn(taken, hash)
  }

  /**
   * Puts back what was taken aside by a node that was killed while it removed: somebody may have put it meanwhile. If
   * that node lives, its removal finds nothing to remove.
   */
  const putAllBack = async (): Promise<void> => {
    for (const name of await readdir(aside)) {
      const hash = TAKEN.exec(name)?.[1]
      if (hash !== undefined) await putBack(join(aside, name), hash).catch(unlessMissing)
    }
  }
  await putAllBack()

  return {
    async put(bytes) {
      const half = join(aside, randomUUID())
      try {
        const stored = await writeNew(half, limited(bytes))
        await ours(moveIn(half, stored.hash))
        return stored
      } catch (error) {
        await unlink(half).catch(() => {}) // what stays is cleared away by `tidy`
        throw error
      }
    },
    async *read(hash, { from = 0, to } = { from: 0 }) {
      const path = pathOf(hash)
      if (to !== undefined && to <= from) return
      const end = to === undefined ? {} : { end: to - 1 }
      try {
        for await (const chunk of createReadStream(path, { start: from, ...end, highWaterMark: CHUNK_BYTES }))
          yield chunk
      } catch (error) {
        throw isMissing(error) ? new NoSuchFile(`there is no file ${hash}`) : unavailable(error)
      }
    },
    size: async (hash) => (isHash(hash) ? (await ours(found(pathOf(hash))))?.size : undefined),
    async *list() {
      const troubles: unknown[] = []
      const unlessTrouble = async <T>(work: Promise<T>): Promise<T | undefined> =>
        work.catch((error) => void (isMissing(error) || troubles.push(error)))
      for (const first of await ours(foldersIn(root)))
        for (const second of (await unlessTrouble(foldersIn(join(root, first)))) ?? [])
          for (const hash of (await unlessTrouble(readdir(join(root, first, second)))) ?? []) {
            const file = isHash(hash) ? await unlessTrouble(stat(pathOf(hash))) : undefined
            if (file?.isFile()) yield { hash, at: Math.floor(file.mtimeMs) }
          }
      if (troubles.length > 0) throw unavailable(troubles[0])
    },
    async remove(hash, unlessSince) {
      const path = pathOf(hash)
      // Taken aside first: who puts it at this very moment finds it missing, and puts it anew.
      const taken = join(aside, `${hash}.${randomUUID()}`)
      const isRemoved = async (): Promise<boolean> => {
        if ((await stat(path)).mtimeMs > unlessSince) return false
        await rename(path, taken)
        const isOld = (await stat(taken)).mtimeMs <= unlessSince
        await (isOld ? unlink(taken) : putBack(taken, hash))
        return isOld
      }
      const wasThere = await ours(isRemoved().catch(unlessMissing))
      return wasThere ?? (await ours(found(path))) === undefined
    },
    async tidy(before) {
      await ours(putAllBack())
      for (const name of await ours(readdir(aside))) {
        const path = join(aside, name)
        const file = await ours(found(path))
        if (!TAKEN.test(name) && file && file.mtimeMs < before) await ours(unlink(path).catch(unlessMissing))
      }
    },
  }
}

/** The name of a file that is being removed. */
const TAKEN = /^([0-9a-f]{64})\../

async function writeNew(path: string, bytes: ByteSource): Promise<StoredFile> {
  const hash = createHash('sha256')
  let size = 0
  const file = await ours(open(path, 'wx', 0o600))
  try {
    for await (const chunk of bytes) {
      hash.update(chunk)
      size += chunk.byteLength
      await ours(writeAll(file, chunk))
    }
    await ours(file.sync())
  } finally {
    await ours(file.close())
  }
  return { hash: hash.digest('hex'), size }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten
}

const foldersIn = async (path: string): Promise<readonly string[]> =>
  (await readdir(path, { withFileTypes: true })).flatMap((entry) =>
    entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name) ? [entry.name] : [],
  )

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}

const found = (path: string) => stat(path).catch(unlessMissing)

/** Work of the file system, whose errors are the store's; those of the source of the bytes are not. */
const ours = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error) => {
    throw unavailable(error)
  })

function unavailable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const advice = code === 'ENOSPC' ? ': free some room on the disk' : ''
  return new FilesUnavailable(`the directory of files does not take it (${message})${advice}`, { cause: error })
}
