import { createHash } from 'node:crypto'
import { type FileStore, NoSuchFile } from '../../src/files/file-store.ts'

/** For what is tested without a disk. */
export function memoryFiles(): FileStore {
  const files = new Map<string, { readonly bytes: Buffer; at: number }>()
  return {
    async put(bytes) {
      const pieces: Uint8Array[] = []
      for await (const piece of bytes) pieces.push(piece)
      const all = Buffer.concat(pieces)
      const hash = createHash('sha256').update(all).digest('hex')
      files.set(hash, { bytes: all, at: Date.now() })
      return { hash, size: all.length }
    },
    async *read(hash, { from = 0, to } = { from: 0 }) {
      const found = files.get(hash)
      if (!found) throw new NoSuchFile(`there is no file ${hash}`)
      yield found.bytes.subarray(from, to)
    },
    size: async (hash) => files.get(hash)?.bytes.length,
    async *list() {
      for (const [hash, { at }] of files) yield { hash, at }
    },
    remove: async (hash) => files.delete(hash),
    tidy: async () => {},
  }
}
