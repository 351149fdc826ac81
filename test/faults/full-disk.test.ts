import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDirectoryFiles } from '../../src/files/directory.ts'
import { FilesUnavailable } from '../../src/files/file-store.ts'
import { toldFiles } from '../../src/files/told-files.ts'
import { outage } from '../../src/outage.ts'
import { openHeartbeat } from '../../src/presence/heartbeat.ts'
import { openReceiptFile } from '../../src/presence/receipt-file.ts'
import { manualClock } from '../support/clock.ts'
import { NO_DISK, smallDisk } from '../support/small-disk.ts'

const receipt = (socket: string) => ({ socket, cursor: '7', silent: [], named: [], isGuessed: false })

test('[DISK-42] receipts: the path and what it costs, once; with room all is written', async (context) => {
  const disk = smallDisk(2) ?? context.skip(NO_DISK)
  const path = join(disk.path, 'receipts')
  const told: string[] = []
  const store = await openReceiptFile(path, (error) => void told.push((error as Error).message))
  store.put('acme.before', receipt('s0'))
  disk.fill()
  for (let n = 1; n <= 2_000; n++) store.put(`acme.meanwhile-${n}`, receipt(`socket-${n}`))
  await expect
    .poll(() => told)
    .toEqual([expect.stringMatching(/receipts cannot be written \(ENOSPC.*\): after a crash/)])
  disk.empty()
  let n = 0
  const read = async (): Promise<readonly unknown[]> => {
    store.put('acme.after', receipt(`later-${++n}`))
    const next = await openReceiptFile(path, () => {})
    onTestFinished(() => next.close())
    return ['acme.before', 'acme.meanwhile-1', 'acme.meanwhile-2000', 'acme.after'].map(
      (person) => [...(next.of(person) as readonly unknown[])].length > 0,
    )
  }
  await expect.poll(read, { timeout: 5_000, interval: 200 }).toEqual([true, true, true, true])
  expect(told).toHaveLength(1)
  await store.close()
})

test('[DISK-42] the file that says that we live: the path and what it costs, once', async (context) => {
  const disk = smallDisk(2) ?? context.skip(NO_DISK)
  const clock = manualClock()
  const told: string[] = []
  disk.fill()
  const heartbeat = await openHeartbeat(join(disk.path, 'alive'), clock, (error) => void told.push(String(error)))
  heartbeat.start()
  for (let beats = 0; beats < 5; beats++) {
    await expect.poll(() => clock.pending()).toBe(1)
    clock.advance(1_000)
  }
  await heartbeat.stop()
  expect(told).toEqual([expect.stringMatching(/alive cannot be written \(ENOSPC.*\): after a crash nobody knows/)])
})

test('[DISK-42] sent files: the path and what it costs, once, and each put is refused', async (context) => {
  const disk = smallDisk(2) ?? context.skip(NO_DISK)
  const root = join(disk.path, 'files')
  mkdirSync(root)
  const told: string[] = []
  const files = toldFiles(await openDirectoryFiles(root), root, ({ message }) => void told.push(message))
  disk.fill()
  for (let n = 0; n < 3; n++)
    await expect(files.put([Buffer.alloc(100_000, n)])).rejects.toBeInstanceOf(FilesUnavailable)
  expect(told).toEqual([
    expect.stringMatching(/files cannot be written \(.*ENOSPC.*\): messages with files are refused/),
  ])
  disk.empty()
  expect(await files.put([Buffer.alloc(100_000, 1)])).toMatchObject({ size: 100_000 })
})

test('[DISK-43] what fails and works by turns is told once, and over when it has worked for a while', async () => {
  const told: string[] = []
  const { failed, worked } = outage({ began: (why) => told.push(`began: ${why}`), ended: () => told.push('ended') }, 50)
  worked()
  for (let n = 0; n < 20; n++) {
    failed(n)
    worked()
  }
  expect(told).toEqual(['began: 0'])
  const after = (): readonly string[] => {
    worked()
    return told
  }
  await expect.poll(after, { interval: 10 }).toEqual(['began: 0', 'ended'])
  failed('again')
  expect(told).toEqual(['began: 0', 'ended', 'began: again'])
})
