import { expect, test } from 'vitest'
import { keptStreams } from '../../src/delivery/kept-streams.ts'
import type { Log, Recorded } from '../../src/log/log.ts'
import { NewestEvents } from '../../src/log/newest-events.ts'
import { weightOf } from '../../src/log/weight.ts'
import { openPages } from '../../src/views/pages.ts'

const KIB = 1024
const event = (n: number, size: number, stream = 'chat-a'): Recorded => ({
  ...{ id: `e${n}`, stream, revision: n, position: BigInt(n), at: 0 },
  event: { type: 'VisitorWrote', content: { text: 'x'.repeat(size) } } as Recorded['event'],
  meta: { correlationId: 'c', by: 'system' },
})

test('[MEM-4] an event weighs what its texts hold', () => {
  expect(weightOf(event(0, 64 * KIB))).toBeGreaterThan(64 * KIB)
  expect(weightOf(event(0, 64 * KIB))).toBeLessThan(66 * KIB)
})

test('[MEM-4] the newest events are bounded by their number and by what they hold', () => {
  const newest = new NewestEvents({ number: 100, weight: 1024 * KIB })
  const push = (from: number, to: number, size: number): void => {
    for (let n = from; n < to; n++) {
      newest.push(event(n, size))
      const cut = newest.cut()
      if (cut) expect(newest.all[0]?.position).toBe(cut.position + 1n) // without a gap
    }
  }
  push(0, 1_000, 10)
  expect(newest.all.length).toBeLessThanOrEqual(200)
  push(1_000, 1_200, 64 * KIB)
  expect(newest.all.length).toBeLessThanOrEqual(32)
  expect(newest.all.at(-1)?.revision).toBe(1_199)
})

test('[MEM-4] pages of the log are shorter where events hold much, and lose none', async () => {
  const events = Array.from({ length: 300 }, (_, n) => event(n, 64 * KIB))
  let read = 0
  const log = {
    async *readAll({ from = 0n, limit = events.length }: { from?: bigint; limit?: number }) {
      for (let n = Number(from); n < Math.min(events.length, Number(from) + limit); n += 16) {
        const batch = events.slice(n, Math.min(n + 16, Number(from) + limit))
        read += batch.length
        yield batch
      }
    },
  } as unknown as Log
  const pages = openPages(log)
  const found: Recorded[] = []
  for (let from: Recorded | null = null; ; from = found.at(-1) ?? null) {
    const page = await pages.after(from, 2_000)
    if (page.length === 0) break
    expect(page.length).toBeLessThanOrEqual(96)
    found.push(...page)
  }
  expect(found).toEqual(events)
  expect(read).toBeLessThan(400)
})

test('[MEM-4] streams that are kept for those who come back are bounded by what they hold', async () => {
  let reads = 0
  const log = {
    async *read(stream: string) {
      reads++
      yield Array.from({ length: 100 }, (_, n) => event(n, 64 * KIB, stream))
    },
  } as unknown as Log
  const kept = keptStreams(log)
  const ask = async (n: number): Promise<void> => void (await kept.read({ name: `chat-${n}` } as never, null))
  for (let n = 0; n < 20; n++) await ask(n) // 6.4 MiB each, so five are kept
  expect(reads).toBe(20)
  await ask(19)
  expect(reads).toBe(20)
  await ask(0)
  expect(reads).toBe(21)
})
