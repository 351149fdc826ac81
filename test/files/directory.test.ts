import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openDirectoryFiles } from '../../src/files/directory.ts'
import { type FileStore, FilesUnavailable } from '../../src/files/file-store.ts'
import { freshData } from '../support/data.ts'
import { all, fileStoreSuite, hashOf, listed } from './suite.ts'

const DAY_MS = 24 * 3_600_000

const pathOf = (root: string, hash: string): string => join(root, hash.slice(0, 2), hash.slice(2, 4), hash)
const asideIn = (root: string): Promise<string[]> => readdir(join(root, 'aside'))

/** A put that waits in the middle. */
async function halfPut(files: FileStore, root: string) {
  const { promise: rest, resolve: goOn } = Promise.withResolvers<void>()
  const put = files.put(
    (async function* () {
      yield Buffer.from('half')
      await rest
      yield Buffer.from(' and half')
    })(),
  )
  await expect.poll(async () => (await asideIn(root)).length).toBe(1)
  return { put, goOn }
}

describe('[FILE-1] [FILE-2] [FILE-3] [FILE-4] [FILE-10] [FILE-11] [FILE-12] a directory', () =>
  fileStoreSuite(async () => openDirectoryFiles(join(await freshData(), 'files'))))

test('[FILE-10] a start leaves the puts of other processes alone', async () => {
  const root = join(await freshData(), 'files')
  const { put, goOn } = await halfPut(await openDirectoryFiles(root), root)
  const second = await openDirectoryFiles(root)
  goOn()
  const { hash } = await put
  expect(String(await all(second.read(hash)))).toBe('half and half')
  expect(await asideIn(root)).toEqual([])
})

test('[FILE-10] any number of processes start on one directory at once', async () => {
  const root = join(await freshData(), 'deep', 'files')
  await Promise.all(Array.from({ length: 20 }, () => openDirectoryFiles(root)))
  await expect(Promise.all(Array.from({ length: 20 }, () => openDirectoryFiles(root)))).resolves.toHaveLength(20)
})

test('[FILE-10] what a killed put has left is cleared away when it is a day old', async () => {
  const root = join(await freshData(), 'files')
  const files = await openDirectoryFiles(root)
  const { put, goOn } = await halfPut(files, root)
  const [young] = await asideIn(root)
  await writeFile(join(root, 'aside', 'old'), 'half')
  const then = new Date(Date.now() - DAY_MS - 1_000)
  await utimes(join(root, 'aside', 'old'), then, then)
  await files.tidy(Date.now() - DAY_MS)
  expect(await asideIn(root)).toEqual([young])
  goOn()
  await put
})

test('[FILE-4] what a node that was killed while removing had taken aside is there after a start', async () => {
  const root = join(await freshData(), 'files')
  const bytes = randomBytes(20)
  const { hash } = await (await openDirectoryFiles(root)).put([bytes])
  await rename(pathOf(root, hash), join(root, 'aside', `${hash}.0`))
  const files = await openDirectoryFiles(root)
  expect(await all(files.read(hash))).toEqual(bytes)
  expect(await asideIn(root)).toEqual([])

  await rename(pathOf(root, hash), join(root, 'aside', `${hash}.0`))
  await files.tidy(Date.now() - DAY_MS)
  expect(await all(files.read(hash))).toEqual(bytes)
})

test('[FILE-4] what is put while it is removed is there when both are done, whoever starts meanwhile', async () => {
  const root = join(await freshData(), 'files')
  const files = await openDirectoryFiles(root)
  const bytes = randomBytes(20)
  const hash = hashOf(bytes)
  const long = new Date(Date.now() - 2 * DAY_MS)
  for (let round = 0; round < 100; round++) {
    await files.put([bytes])
    await utimes(pathOf(root, hash), long, long)
    const removing = files.remove(hash, Date.now() - DAY_MS)
    await Promise.all([removing, files.put([bytes]), openDirectoryFiles(root)])
    expect(await all(files.read(hash))).toEqual(bytes)
  }
})

test('[FILE-3] a put is answered when the names of all folders that lead to the file are flushed', async () => {
  const root = join(await freshData(), 'new', 'files')
  const durable = new Set<string>()
  const files = await openDirectoryFiles(root, async (directory) => {
    const names = await readdir(directory)
    await sleep(20) // a disk that takes its time: who does not wait for it is answered before
    for (const name of names) durable.add(join(directory, name))
  })
  const put = async (bytes: Uint8Array): Promise<void> => {
    const { hash } = await files.put([bytes])
    for (let path = pathOf(root, hash); path !== dirname(dirname(root)); path = dirname(path))
      expect(durable).toContain(path)
  }
  const bytes = randomBytes(20)
  await Promise.all([put(bytes), put(bytes), put(bytes), put(randomBytes(20))])
})

test('[FILE-3] the name of a folder that another process has made is flushed, again if that failed', async () => {
  const root = join(await freshData(), 'files')
  const bytes = randomBytes(20)
  const folder = dirname(pathOf(root, hashOf(bytes)))
  await mkdir(folder, { recursive: true })
  const flushed: string[] = []
  let isBroken = true
  const files = await openDirectoryFiles(root, async (directory) => {
    if (isBroken && directory === dirname(folder)) throw Object.assign(new Error('no'), { code: 'EIO' })
    flushed.push(directory)
  })
  await expect(files.put([bytes])).rejects.toThrow(FilesUnavailable)
  isBroken = false
  await files.put([bytes])
  expect(flushed).toEqual([dirname(root), root, dirname(folder), folder])
})

test('[FILE-9] [FILE-11] a file that cannot be looked at does not hide the others from a list', async () => {
  const root = join(await freshData(), 'files')
  const files = await openDirectoryFiles(root)
  const broken = pathOf(root, '0'.repeat(64))
  await mkdir(dirname(broken), { recursive: true })
  await symlink(broken, broken)
  const { hash } = await files.put([Buffer.from('x')])
  const seen: string[] = []
  const look = async (): Promise<void> => {
    for await (const one of files.list()) seen.push(one.hash)
  }
  await expect(look()).rejects.toThrow(FilesUnavailable)
  expect(seen).toEqual([hash])
  await expect(files.remove('0'.repeat(64), Date.now())).rejects.toThrow(FilesUnavailable)
})

test('[FILE-5] a directory that is gone is said so', async () => {
  const root = join(await freshData(), 'files')
  const files = await openDirectoryFiles(root)
  await rm(root, { recursive: true })
  await expect(listed(files)).rejects.toThrow(FilesUnavailable)
  await expect(files.put([Buffer.from('x')])).rejects.toThrow(FilesUnavailable)
  await expect(files.tidy(0)).rejects.toThrow(FilesUnavailable)
})
