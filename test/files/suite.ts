import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { type FileStore, MAX_PUT_BYTES, NoSuchFile, TooLarge } from '../../src/files/file-store.ts'

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export async function all(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}
export async function listed(files: FileStore): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for await (const { hash, at } of files.list()) found.set(hash, at)
  return found
}

/** What every adapter does; `open` gives a store of its own, which may hold what others have put. */
export function fileStoreSuite(open: () => Promise<FileStore>): void {
  test('[FILE-1] what was put is read, whole and by range', async () => {
    const files = await open()
    const bytes = randomBytes(200_000)
    const pieces = [bytes.subarray(0, 7), bytes.subarray(7, 70_000), bytes.subarray(70_000)]
    const { hash, size } = await files.put(pieces)
    expect([hash, size]).toEqual([hashOf(bytes), bytes.length])
    expect(await files.size(hash)).toBe(bytes.length)
    expect((await all(files.read(hash))).equals(bytes)).toBe(true)
    for (const [from, to] of [
      [0, 2], // s3rver takes the first byte alone for all of it
      [100, 70_001],
      [199_999, undefined],
      [5, 5],
    ] as const) {
      const range = to === undefined ? { from } : { from, to }
      expect((await all(files.read(hash, range))).equals(bytes.subarray(from, to))).toBe(true)
    }
  })

  test('[FILE-1] an empty file is a file; what is not there is said so', async () => {
    const files = await open()
    const { hash } = await files.put([])
    expect(await files.size(hash)).toBe(0)
    expect(await all(files.read(hash))).toHaveLength(0)
    const none = hashOf(randomBytes(8))
    expect(await files.size(none)).toBeUndefined()
    await expect(all(files.read(none))).rejects.toThrow(NoSuchFile)
    for (const bad of ['../../etc/passwd', 'x', '', `${none}/..`]) {
      expect(await files.size(bad)).toBeUndefined()
      await expect(all(files.read(bad))).rejects.toThrow(NoSuchFile)
    }
  })

  test('[FILE-2] the same bytes are kept once, whoever puts them at once', async () => {
    const files = await open()
    const bytes = randomBytes(50_000)
    const stored = await Promise.all(Array.from({ length: 8 }, () => files.put([bytes])))
    expect(new Set(stored.map(({ hash }) => hash)).size).toBe(1)
    expect([...(await listed(files)).keys()].filter((hash) => hash === hashOf(bytes))).toHaveLength(1)
  })

  test('[FILE-3] a source that fails leaves nothing', async () => {
    const files = await open()
    const before = await listed(files)
    const first = randomBytes(10)
    const failing = (async function* () {
      yield first
      throw new Error('the sender is gone')
    })()
    await expect(files.put(failing)).rejects.toThrow('the sender is gone')
    expect(await listed(files)).toEqual(before)
    expect(await files.size(hashOf(first))).toBeUndefined()
  })

  test("[FILE-11] an error of the source is passed on as it is, also one that looks like the store's", async () => {
    const files = await open()
    for (const code of ['ECONNRESET', 'ENOENT', 'EIO']) {
      const gone = Object.assign(new Error('the sender is gone'), { code })
      const failing = (async function* () {
        yield randomBytes(10)
        throw gone
      })()
      await expect(files.put(failing)).rejects.toBe(gone)
    }
  })

  test('[FILE-12] eight megabytes are a file; of more, no more is read', async () => {
    const files = await open()
    const megabyte = randomBytes(1024 * 1024)
    let given = 0
    const endless = (async function* () {
      for (; ; given++) yield megabyte
    })()
    await expect(files.put(endless)).rejects.toThrow(TooLarge)
    expect(given).toBe(8)
    const { size } = await files.put(Array.from({ length: 8 }, () => megabyte))
    expect(size).toBe(MAX_PUT_BYTES)
  })

  test('[FILE-4] a file is removed unless it was put since', async () => {
    const files = await open()
    const { hash } = await files.put([randomBytes(20)])
    const at = (await listed(files)).get(hash) ?? 0
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000)
    expect(await files.remove(hash, at - 5_000)).toBe(false)
    expect(await files.size(hash)).toBe(20)
    expect(await files.remove(hash, Date.now() + 5_000)).toBe(true)
    expect(await files.size(hash)).toBeUndefined()
    expect(await files.remove(hash, Date.now())).toBe(true)
  })

  test('[FILE-10] clearing away what killed puts have left touches no file', async () => {
    const files = await open()
    const bytes = randomBytes(20)
    const { hash } = await files.put([bytes])
    await files.tidy(Date.now() + 5_000)
    expect(await all(files.read(hash))).toEqual(bytes)
  })
}
