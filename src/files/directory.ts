import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileStore, FilesUnavailable, isHash, NoSuchFile } from './file-store.ts'

const ASIDE = 'aside'
const CHUNK_BYTES = 64 * 1024

/**
 * Files in a directory, as `ab/cd/<hash>`. Bytes are written aside, flushed, and renamed to their place, whose
 * directory is flushed as well: what `put` has answered outlives a power loss, and a crash leaves nothing but a file
 * aside, which the next start removes.
 */
export async function openDirectoryFiles(root: string): Promise<FileStore> {
  await mkdir(root, { recursive: true })
  await rm(join(root, ASIDE), { recursive: true, force: true })
  await mkdir(join(root, ASIDE))

  const placeOf = (hash: string): { readonly folder: string; readonly path: string } => {
    if (!isHash(hash)) throw new NoSuchFile('a file is called by the SHA-256 of its bytes')
    const folder = join(root, hash.slice(0, 2), hash.slice(2, 4))
    return { folder, path: join(folder, hash) }
  }

  const writeAside = async (path: string, bytes: Parameters<FileStore['put']>[0]) => {
    const hash = createHash('sha256')
    let size = 0
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const chunk of bytes) {
        hash.update(chunk)
        size += chunk.byteLength
        await writeAll(file, chunk)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    return { hash: hash.digest('hex'), size }
  }

  return {
    async put(bytes) {
      const aside = join(root, ASIDE, randomUUID())
      try {
        const stored = await writeAside(aside, bytes)
        const { folder, path } = placeOf(stored.hash)
        if (await mkdir(folder, { recursive: true })) {
          await flush(root)
          await flush(join(folder, '..'))
        }
        await rename(aside, path) // in place of the same bytes, if they are there: as new
        await flush(folder)
        return stored
      } catch (error) {
        await unlink(aside).catch(() => {}) // what is left aside goes with the next start
        throw unavailable(error)
      }
    },
    async *read(hash, { from = 0, to } = { from: 0 }) {
      const { path } = placeOf(hash)
      if (to !== undefined && to <= from) return
      const end = to === undefined ? {} : { end: to - 1 }
      try {
        for await (const chunk of createReadStream(path, { start: from, ...end, highWaterMark: CHUNK_BYTES }))
          yield chunk
      } catch (error) {
        throw isMissing(error) ? new NoSuchFile(`there is no file ${hash}`) : unavailable(error)
      }
    },
    async size(hash) {
      if (!isHash(hash)) return undefined
      return stat(placeOf(hash).path).then(
        ({ size }) => size,
        (error: unknown) => {
          if (isMissing(error)) return undefined
          throw unavailable(error)
        },
      )
    },
    async *list() {
      for (const first of await foldersIn(root))
        for (const second of await foldersIn(join(root, first))) {
          const folder = join(root, first, second)
          for await (const { name } of await opendir(folder)) {
            if (!isHash(name)) continue
            const found = await stat(join(folder, name)).catch(() => undefined) // removed meanwhile
            if (found) yield { hash: name, at: Math.floor(found.mtimeMs) }
          }
        }
    },
    async remove(hash, unlessSince) {
      const { path } = placeOf(hash)
      // Taken aside first: who puts it at this very moment finds it missing, and puts it anew.
      const aside = join(root, ASIDE, randomUUID())
      try {
        if ((await stat(path)).mtimeMs > unlessSince) return false
        await rename(path, aside)
        const { mtimeMs, mtime } = await stat(aside)
        if (mtimeMs > unlessSince) {
          await rename(aside, path)
          await utimes(path, mtime, mtime)
          return false
        }
        await unlink(aside)
        return true
      } catch (error) {
        if (isMissing(error)) return true
        throw unavailable(error)
      }
    },
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten
}

/** What was made or renamed in a directory is safe when the directory is. */
async function flush(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const foldersIn = async (path: string): Promise<readonly string[]> =>
  (await readdir(path, { withFileTypes: true })).flatMap((entry) =>
    entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name) ? [entry.name] : [],
  )

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Errors of the file system are ours to wait for; those of the source of the bytes are not. */
function unavailable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error
  const advice = code === 'ENOSPC' ? ': free some room on the disk' : ''
  return new FilesUnavailable(`the directory of files does not take it (${message})${advice}`, { cause: error })
}
