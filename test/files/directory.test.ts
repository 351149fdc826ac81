import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDirectoryFiles } from '../../src/files/directory.ts'
import { FilesUnavailable } from '../../src/files/file-store.ts'
import { freshData } from '../support/data.ts'
import { fileStoreSuite } from './suite.ts'

describe('[FILE-1] [FILE-2] [FILE-3] [FILE-4] a directory', () =>
  fileStoreSuite(async () => openDirectoryFiles(join(await freshData(), 'files'))))

test('[FILE-3] what a crash left aside goes with the next start', async () => {
  const root = join(await freshData(), 'files')
  const files = await openDirectoryFiles(root)
  const crashed = Promise.withResolvers<void>()
  const stuck = files.put(
    (async function* () {
      yield Buffer.from('half')
      await crashed.promise
    })(),
  )
  await expect.poll(async () => (await readdir(join(root, 'aside'))).length).toBe(1)
  await openDirectoryFiles(root)
  expect(await readdir(join(root, 'aside'))).toEqual([])
  crashed.resolve()
  await expect(stuck).rejects.toThrow(FilesUnavailable)
})
