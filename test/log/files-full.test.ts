import { describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { NO_DISK, type SmallDisk, smallDisk } from '../support/small-disk.ts'
import { gather, notes, rejection } from './suite-world.ts'

async function openOn(disk: SmallDisk, segmentBytes?: number) {
  const reasons: (string | null)[] = []
  let changed = Promise.withResolvers<void>()
  const log = await openEmbeddedLog({
    path: disk.path,
    ...{ codec: codec({}), now: Date.now, segmentBytes },
    onFatal(error) {
      throw error
    },
    onFull(reason) {
      reasons.push(reason)
      changed.resolve()
      changed = Promise.withResolvers()
    },
    notes: {
      onDamage(damage) {
        throw damage
      },
      note(level, sentence) {
        if (level === 'error') throw new Error(sentence)
      },
    },
  })
  return { log, reasons, change: () => changed.promise }
}

/** Appends until it is refused; returns how much was acknowledged. */
async function writeUntilRefused({ log }: Awaited<ReturnType<typeof openOn>>, from: number): Promise<number> {
  for (let revision = from; ; revision += 8) {
    const wrote = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => log.append('s', revision + n, notes('x'.repeat(50_000)))),
    )
    const refused = wrote.findIndex(({ status }) => status === 'rejected')
    if (refused < 0) continue
    for (const one of wrote.slice(refused))
      expect(one.status === 'rejected' && one.reason).toBeInstanceOf(LogUnavailable)
    return revision + refused
  }
}

it('[DISK-6] a server that starts while the disk under its log is full can be asked, and goes on', async ({ skip }) => {
  const disk = smallDisk(8)
  if (!disk) return skip(NO_DISK)
  const before = await openOn(disk)
  await before.log.append('s', -1, notes('first'))
  disk.fill()
  const last = await writeUntilRefused(before, 0)
  await before.log.close()
  const { log, reasons, change } = await openOn(disk)
  expect(await gather(log.read('s'))).toHaveLength(last + 1)
  expect(await rejection(log.append('s', last, notes('x'.repeat(900_000))))).toBeInstanceOf(LogUnavailable)
  const room = change()
  disk.empty()
  await room
  expect(reasons).toHaveLength(2)
  expect(await log.append('s', last, notes('z'))).toMatchObject({ revision: last + 1 })
  await log.close()
})

describe.each([
  ['in the midst of a file', undefined],
  ['where the next file begins', 300_000],
])('[DISK-6] a disk that gets full %s', (_, segmentBytes) => {
  it('refuses what is written, is read, and goes on when there is room', async ({ skip }) => {
    const disk = smallDisk(16)
    if (!disk) return skip(NO_DISK)
    const opened = await openOn(disk, segmentBytes)
    const { log, reasons, change } = opened
    await log.append('s', -1, notes('first'))
    disk.fill()
    const last = await writeUntilRefused(opened, 0)
    expect(reasons).toEqual([`the disk under ${disk.path} is full (ENOSPC): make room, and writing goes on`])
    expect(await rejection(log.append('s', last, notes('y')))).toBeInstanceOf(LogUnavailable)
    expect(await gather(log.read('s'))).toHaveLength(last + 1)
    const room = change()
    disk.empty()
    await room
    expect(reasons.at(-1)).toBe(null)
    expect(reasons).toHaveLength(2)
    expect(await log.append('s', last, notes('z'))).toMatchObject({ revision: last + 1 })
    await log.close()
    const again = await openOn(disk, segmentBytes)
    const revisions = (await gather(again.log.read('s'))).map(({ revision }) => revision)
    expect(revisions).toEqual(Array.from({ length: last + 2 }, (_, n) => n))
    await again.log.close()
  })
})
