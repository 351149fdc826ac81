import { open, rename } from 'node:fs/promises'
import { slice } from '../slices.ts'
import { addTo, bloomSize } from './bloom.ts'
import { NOWHERE } from './index-file.ts'
import { EVENT, headPage, type IndexHead, layoutOf, PAGE, ROOM, SPOT, STREAM, seal } from './index-pages.ts'
import type { Entry, MemoryIndex } from './segment-index.ts'
import { syncDirectory } from './sync-directory.ts'

const WRITE_PAGES = 64

/**
 * Writes the index of a segment beside it, in portions. It is there as a whole or not at all: it gets its name when it
 * is on the disk.
 */
export async function writeIndex(path: string, index: MemoryIndex, first: number, segmentBytes: number): Promise<void> {
  const entries = await sorted(index)
  const owned = entries.reduce((sum, { ordinals }) => sum + ordinals.length, 0)
  const head: IndexHead = {
    ...{ first, segmentBytes, owned, events: index.count(), streams: entries.length },
    bloomBytes: bloomSize(entries.length),
  }
  const temporary = `${path}.new`
  const file = await open(temporary, 'w')
  try {
    const pages = pageWriter(async (bytes) => void (await file.write(bytes)), headPage(head))
    const bloom = Buffer.alloc(head.bloomBytes)
    let start = 0
    for (const { hash, first: revision, ordinals } of entries) {
      await pages.item(STREAM.bytes, (page, at) => {
        page.write(hash, at, 'latin1')
        page.writeUInt32LE(revision, at + 8)
        page.writeUInt32LE(ordinals.length, at + 12)
        page.writeUInt32LE(start, at + 16)
      })
      addTo(bloom, hash)
      start += ordinals.length
      await slice()
    }
    pages.end()
    for (const { ordinals } of entries)
      for (const ordinal of ordinals) {
        const [spot] = ordinal < 0 ? [] : index.spots(ordinal, 1)
        await pages.item(EVENT.bytes, (page, at) => {
          page.writeUInt32LE(spot ? ordinal : NOWHERE, at)
          page.writeUInt32LE(spot?.offset ?? 0, at + 4)
          page.writeUInt32LE(spot?.length ?? 0, at + 8)
        })
        await slice()
      }
    pages.end()
    for (let ordinal = 0; ordinal < head.events; ordinal++) {
      const [spot] = index.spots(ordinal, 1)
      await pages.item(SPOT.bytes, (page, at) => {
        page.writeUInt32LE(spot?.offset ?? 0, at)
        page.writeUInt32LE(spot?.length ?? 0, at + 4)
      })
      await slice()
    }
    pages.end()
    for (let from = 0; from < bloom.length; from += ROOM)
      await pages.item(ROOM, (page, at) => void bloom.copy(page, at, from, from + ROOM))
    await pages.flush()
    await file.truncate(layoutOf(head).pages * PAGE)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(path)
}

/** By hash: sorted in many small parts. */
async function sorted(index: MemoryIndex): Promise<readonly Entry[]> {
  const parts: Entry[][] = Array.from({ length: 4_096 }, () => [])
  for (const entry of index.entries()) {
    parts[entry.hash.charCodeAt(0) * 16 + (entry.hash.charCodeAt(1) >> 4)]?.push(entry)
    await slice()
  }
  const entries: Entry[] = []
  for (const part of parts) {
    part.sort((a, b) => (a.hash < b.hash ? -1 : 1))
    for (const entry of part) entries.push(entry)
    await slice()
  }
  return entries
}

/** Fills pages one after another, and writes many of them at once. */
function pageWriter(write: (bytes: Buffer) => Promise<void>, head: Buffer) {
  let full: Buffer[] = [head]
  let number = 1
  let page = Buffer.alloc(PAGE)
  let used = 0

  const end = (): void => {
    if (used === 0) return
    seal(page, number++)
    full.push(page)
    page = Buffer.alloc(PAGE)
    used = 0
  }

  const drain = async (): Promise<void> => {
    const bytes = Buffer.concat(full)
    full = []
    await write(bytes)
  }

  return {
    /** One more item of a part. */
    item(bytes: number, put: (page: Buffer, at: number) => void): Promise<void> | undefined {
      if (used + bytes > ROOM) end()
      put(page, used)
      used += bytes
      return full.length >= WRITE_PAGES ? drain() : undefined
    },
    /** The part ends: the next one begins with a page of its own. */
    end,
    flush(): Promise<void> {
      end()
      return drain()
    },
  }
}
