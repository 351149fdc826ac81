import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotStore } from './snapshots.ts'

/** Bytes. */
const SPREAD = 2 ** 18

/**
 * One file a snapshot. Nothing is synced and no failure is an error: a file that is lost, cut short or garbled (its
 * digest tells) means that the entity is read from the log, which takes longer and comes to the same.
 */
export function snapshotFiles(directory: string): SnapshotStore & { close(): Promise<void> } {
  mkdirSync(directory, { recursive: true })
  // Of all that there ever were, one bit of each name: whether it is worth a look at the disk.
  const seen = new Uint8Array(SPREAD)
  const placeOf = (name: string): number => Number.parseInt(name.slice(0, 5), 16) % SPREAD
  for (const name of readdirSync(directory)) seen[placeOf(name)] = 1
  const writing = new Map<string, Promise<void>>()
  const nameOf = (stream: string): string => hash('sha1', stream)

  const write = async (name: string, text: string): Promise<void> => {
    const path = join(directory, name)
    if (text === '') return rm(path, { force: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  return {
    load(stream) {
      const name = nameOf(stream)
      if (seen[placeOf(name)] !== 1) return undefined
      try {
        return readFileSync(join(directory, name), 'utf8')
      } catch {
        return undefined
      }
    },
    save(stream, text) {
      const name = nameOf(stream)
      const done = (writing.get(name) ?? Promise.resolve())
        .then(() => write(name, text))
        .catch(() => undefined) // a full disk: the log is what matters, and it will say so
        .finally(() => {
          if (writing.get(name) === done) writing.delete(name)
        })
      if (text !== '') seen[placeOf(name)] = 1
      writing.set(name, done)
    },
    async close() {
      await Promise.all(writing.values())
    },
  }
}
