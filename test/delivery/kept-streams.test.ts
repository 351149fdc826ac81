import { beforeEach, expect, test } from 'vitest'
import { cursorOf, posOf, START } from '../../src/delivery/cursor.ts'
import { type KeptStreams, keptStreams } from '../../src/delivery/kept-streams.ts'
import type { Log, Recorded } from '../../src/log/log.ts'

/** A log whose reads can be held up, and are counted. */
function world() {
  const streams = new Map<string, Recorded[]>()
  let position = 0n
  const counted = { reads: 0, hold: Promise.resolve() }
  const log: Pick<Log, 'read'> = {
    async *read(stream, { from = 0, backwards = false } = {}) {
      counted.reads++
      const now = (streams.get(stream) ?? []).filter(({ revision }) => revision >= from)
      await counted.hold
      if (backwards) now.reverse()
      for (let n = 0; n < now.length; n += 100) yield now.slice(n, n + 100)
    },
  }
  const kept = keptStreams(log)
  const record = (stream: string, type = 'Said'): Recorded => {
    const all = streams.get(stream) ?? []
    position += 10n
    const id = crypto.randomUUID()
    const recorded = { stream, revision: all.length, position, id, at: 0, event: { type, v: 1 } } as unknown as Recorded
    streams.set(stream, [...all, recorded])
    kept.onEvent(recorded)
    return recorded
  }
  return { counted, kept, record, streams }
}

let it: ReturnType<typeof world>
beforeEach(() => {
  it = world()
})

const read = async (...of: Parameters<KeptStreams['read']>): Promise<readonly Recorded[]> => {
  const all: Recorded[] = []
  for await (const batch of await it.kept.read(...of)) all.push(...batch)
  return all
}

test('[RESUME-6] however many come at once, a stream is read once, and what is recorded later is added', async () => {
  for (let n = 0; n < 5; n++) it.record('chat-a')
  const found = await Promise.all(Array.from({ length: 50 }, () => read({ name: 'chat-a' }, null)))
  expect(it.counted.reads).toBe(1)
  it.record('chat-a')
  it.record('chat-b')
  expect(await read({ name: 'chat-a' }, null)).toEqual(it.streams.get('chat-a'))
  expect(found.every((events) => events.length === 5)).toBe(true)
  expect(it.counted.reads).toBe(1)
})

test('[RESUME-6] what is recorded while a stream is read is there for everybody who waits', async () => {
  it.record('chat-a')
  const held = Promise.withResolvers<void>()
  it.counted.hold = held.promise
  const first = read({ name: 'chat-a' }, null)
  await Promise.resolve()
  it.record('chat-a')
  const second = read({ name: 'chat-a' }, null)
  held.resolve()
  expect(await first).toEqual(it.streams.get('chat-a'))
  expect(await second).toEqual(it.streams.get('chat-a'))
})

test('[RESUME-6] a stream that is too long to be kept is read each time, whole', async () => {
  for (let n = 0; n < 1_500; n++) it.record('chat-a')
  expect(await read({ name: 'chat-a' }, null)).toEqual(it.streams.get('chat-a'))
  it.record('chat-a')
  expect(await read({ name: 'chat-a' }, null)).toEqual(it.streams.get('chat-a'))
})

test('[RESUME-6] one that grows too long is read anew', async () => {
  for (let n = 0; n < 999; n++) it.record('chat-a')
  await read({ name: 'chat-a' }, null)
  for (let n = 0; n < 5; n++) it.record('chat-a')
  expect(await read({ name: 'chat-a' }, null)).toEqual(it.streams.get('chat-a'))
})

test('[RESUME-6] whoever needs an earlier past than what is kept is given it', async () => {
  const endsPast = ({ event }: { readonly event: { readonly type: string } }): boolean => event.type === 'Ended'
  const stream = { name: 'presence-a', endsPast }
  const early = it.record('presence-a')
  it.record('presence-a', 'Ended')
  it.record('presence-a', 'Came')
  const late = it.record('presence-a')
  const all = it.streams.get('presence-a') ?? []
  const [ofLate, ofEarly] = await Promise.all([
    read(stream, cursorOf(posOf(late)) ?? null),
    read(stream, cursorOf(posOf(early)) ?? null),
  ])
  expect(ofLate.slice(-2)).toEqual(all.slice(2))
  expect(ofEarly).toEqual(all)
  expect(await read(stream, cursorOf(START) ?? null)).toEqual(all)
})

test('[RESUME-6] what cannot be read is told to all who wait, and tried again by the next one', async () => {
  it.record('chat-a')
  it.counted.hold = Promise.reject(new Error('the log is away'))
  const both = await Promise.allSettled([read({ name: 'chat-a' }, null), read({ name: 'chat-a' }, null)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  it.counted.hold = Promise.resolve()
  expect(await read({ name: 'chat-a' }, null)).toHaveLength(1)
})

test('[RESUME-6] only so many events are kept', async () => {
  for (let stream = 0; stream < 60; stream++) for (let n = 0; n < 1_000; n++) it.record(`chat-${stream}`)
  for (let stream = 0; stream < 60; stream++) await read({ name: `chat-${stream}` }, null)
  const before = it.counted.reads
  await read({ name: 'chat-59' }, null)
  expect(it.counted.reads).toBe(before)
  await read({ name: 'chat-0' }, null)
  expect(it.counted.reads).toBe(before + 1)
})

test('[RESUME-7] a long stream is read from what was missed, where its models load what was before', async () => {
  const stream = { name: 'lesson-a', endsPast: () => true }
  for (let n = 0; n < 5_000; n++) it.record('lesson-a')
  const all = it.streams.get('lesson-a') ?? []
  const after = (revision: number) => cursorOf(posOf(all[revision] as Recorded)) ?? null
  const late = await read(stream, after(4_990))
  expect(late.length).toBeLessThan(200)
  expect(late).toEqual(all.slice(-late.length))
  expect(late[0]?.revision).toBeLessThanOrEqual(4_990)
  const before = it.counted.reads
  expect(await read(stream, after(4_980))).toEqual(late)
  expect(it.counted.reads).toBe(before)
  it.record('lesson-a')
  expect((await read(stream, after(4_995))).at(-1)).toEqual(it.streams.get('lesson-a')?.at(-1))
  const early = await read(stream, after(10)) // more than is kept
  expect(early).toEqual(it.streams.get('lesson-a')?.slice(10))
  expect((await read(stream, after(4_995))).length).toBeLessThan(200) // and nobody else reads so much for it
  expect(await read(stream, cursorOf(START) ?? null)).toEqual(it.streams.get('lesson-a'))
})
