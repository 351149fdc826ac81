import { randomUUID } from 'node:crypto'
import { setImmediate as soon } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { systemClock } from '../../src/clock.ts'
import { chatsModel } from '../../src/contracts/support-chat/chats-model.ts'
import { deskFeeds } from '../../src/contracts/support-chat/feeds.ts'
import { openFollower } from '../../src/delivery/follower.ts'
import { onlineModel } from '../../src/delivery/online-model.ts'
import type { Outlet } from '../../src/delivery/outlet.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { codec } from '../../src/log/codec.ts'
import { type Log, LogUnavailable, type Recorded, UnreadableEvent } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openTrail } from '../../src/log/trail.ts'
import { manualClock } from '../support/clock.ts'
import { newerCodec } from '../support/newer-release.ts'

const at = 1_700_000_000_000
const visitor = { name: 'Vera', email: null, createdAt: at, updatedAt: null }
const opened = { type: 'ChatOpened', org: 'acme', visitorId: 'vera', visitor, content: {} }
const profile = { name: 'Ann' }
const silent: Outlet = {
  push() {},
  holdsBack() {},
  size: () => 1,
  join() {},
  leave() {},
  disconnectUser() {},
  hangUpUser() {},
}

test('[LOG-2] a follower that hears an event of a newer version says so, and tells of everything else', async () => {
  const log = memoryLog({ codec: newerCodec('ChatFlagged', 'ProfileChanged'), now: () => at })
  const record = async (stream: string, first: number, ...events: readonly Event[]): Promise<bigint> => {
    const meta = { correlationId: randomUUID(), by: 'system' }
    const proposed = events.map((event) => ({ id: randomUUID(), event, meta }))
    return (await log.append(stream, first - 1, proposed)).position
  }
  const introduced = { type: 'PersonIntroduced', org: 'acme', id: 'ann', role: 'agent', profile, issuedAt: 0, at }
  await record('person-acme.ann', 0, introduced, { type: 'ProfileChanged', role: 'agent', profile, at } as Event)

  const pushed: { name: string; seq: number }[] = []
  const outlet: Outlet = {
    ...silent,
    push: (_, name, data) => void pushed.push({ name, seq: (data as { seq: number }).seq }),
  }
  const errors: unknown[] = []
  const heard: bigint[] = []
  const profiles = new ProfileCache(log)
  const online = onlineModel(log)
  const chats = chatsModel(log)
  const follower = openFollower({
    log,
    outlet,
    profiles,
    clock: systemClock,
    trail: openTrail(),
    onAnotherPast: (error) => void errors.push(error),
    onError: (error) => void errors.push(error),
  })
  onTestFinished(() => follower.stop())
  await follower.start({
    models: [online, chats],
    feeds: Object.values(deskFeeds(chats, { online, profiles })),
    from: null,
    online: () => [{ org: 'acme', id: 'ann' }],
    onEvent: ({ position }) => void heard.push(position),
  })
  const told = () => errors.splice(0).map((error) => error instanceof UnreadableEvent && error.message.split(':')[0])
  expect(told()).toEqual(['event 1 of person-acme.ann cannot be read'])

  await record('chat-a', 0, opened, { type: 'ChatFlagged', severity: 1, staffId: 'ann' } as Event)
  const last = await record('chat-b', 0, opened, { type: 'ChatClaimed', staffId: 'ann', role: 'agent' } as Event)
  await follower.until(() => follower.position() === last, AbortSignal.timeout(10_000))
  expect(heard).toHaveLength(4)
  expect(pushed.filter(({ name }) => /append_unclaimed|staff_claim/.test(name))).toEqual([
    { name: 'append_unclaimed_chats', seq: 0 },
    { name: 'append_unclaimed_chats', seq: 0 },
    { name: 'staff_claim_chat', seq: 1 },
  ])
  // The claim names somebody who cannot be read: it is told all the same.
  expect(told()).toEqual(['event 1 of chat-a cannot be read', 'event 1 of person-acme.ann cannot be read'])
})

/** A follower of one desk on a log whose reads of people wait, fail or pass as the test says. */
async function desk(
  readPerson: (read: () => AsyncIterable<readonly Recorded[]>) => AsyncIterable<readonly Recorded[]>,
) {
  const inner = memoryLog({ codec: codec(eventSchemas), now: () => at })
  const log: Log = {
    ...inner,
    read(stream, options) {
      const read = () => inner.read(stream, options)
      return stream.startsWith('person-') ? readPerson(read) : read()
    },
  }
  const record = async (stream: string, first: number, ...events: readonly Event[]): Promise<bigint> => {
    const proposed = events.map((event) => ({
      id: randomUUID(),
      event,
      meta: { correlationId: randomUUID(), by: 'system' },
    }))
    return (await log.append(stream, first - 1, proposed)).position
  }
  const pushed: { name: string; data: unknown }[] = []
  const outlet: Outlet = { ...silent, push: (_, name, data) => void pushed.push({ name, data }) }
  const errors: unknown[] = []
  const clock = manualClock()
  const profiles = new ProfileCache(log)
  const online = onlineModel(log)
  const chats = chatsModel(log)
  const follower = openFollower({
    ...{ log, outlet, profiles, clock, onError: (error) => void errors.push(error) },
    ...{ trail: openTrail(), onAnotherPast: (error) => void errors.push(error) },
  })
  onTestFinished(() => follower.stop())
  const failing = {
    model: chats,
    notices: () => {
      throw new Error('a feed with a bug')
    },
  }
  const start = (withBug = false) =>
    follower.start({
      models: [online, chats],
      feeds: [...(withBug ? [failing] : []), ...Object.values(deskFeeds(chats, { online, profiles }))],
      from: null,
      online: () => [],
      onEvent() {},
    })
  const reached = (position: bigint) =>
    follower.until(() => follower.position() >= position, AbortSignal.timeout(10_000))
  return { record, pushed, errors, clock, profiles, online, chats, follower, start, reached }
}

const ann = { org: 'acme', id: 'ann' }
const annIntroduced = {
  type: 'PersonIntroduced',
  org: 'acme',
  id: 'ann',
  role: 'agent',
  profile: { display_name: 'Ann' },
  issuedAt: 0,
  at,
}
const claimed = { type: 'ChatClaimed', staffId: 'ann', role: 'agent' } as Event
const arrived = { type: 'CameOnline', role: 'agent', at } as Event

test('[PUSH-17] who came is in no opening, and what they did moves nothing, before their name is read', async () => {
  const asked = Promise.withResolvers<void>()
  const mayRead = Promise.withResolvers<void>()
  const { record, pushed, chats, online, profiles, follower, start, reached } = await desk(async function* (read) {
    asked.resolve()
    await mayRead.promise
    yield* read()
  })
  await start()
  const before = await record('chat-a', 0, opened as Event)
  await reached(before)
  await reached(await record('person-acme.ann', 0, annIntroduced as Event))
  profiles.forget(ann)
  await record('presence-acme.ann', 0, arrived)
  const last = await record('chat-a', 1, claimed)
  await reached(before)
  profiles.forget(ann) // as after the profile had long been let go of
  await asked.promise
  expect(online.get('acme.ann')).toBeUndefined()
  expect(chats.get('a')?.staffId).toBeNull()
  expect(follower.position()).toBeLessThan(last)
  mayRead.resolve()
  await reached(last)
  expect(online.get('acme.ann')).toBeDefined()
  const told = pushed.find(({ name }) => name === 'staff_claim_chat')
  expect(told?.data).toMatchObject({ seq: 1, staff: { id: 'ann', display_name: 'Ann' } })
})

test('[PUSH-17] a log that does not answer is asked again until it does, and nothing is lost', async () => {
  let failures = 3
  const { record, pushed, errors, clock, start, reached } = await desk(async function* (read) {
    if (failures-- > 0) throw new LogUnavailable('the log is away')
    yield* read()
  })
  await record('person-acme.ann', 0, annIntroduced as Event)
  await start()
  const last = await record('chat-a', 0, opened as Event, claimed)
  const done = reached(last)
  for (let n = 1; n <= 3; n++) {
    while (clock.pending() === 0) await soon()
    clock.advance(5_000)
  }
  expect(await done).toBe(true)
  expect(errors.map((error) => error instanceof LogUnavailable)).toEqual([true, true, true])
  expect(pushed.find(({ name }) => name === 'staff_claim_chat')?.data).toMatchObject({ staff: { id: 'ann' } })
  expect(clock.pending()).toBe(0)
})

test('[PUSH-17] a node that stops while the log does not answer stops, and tells nothing half known', async () => {
  const asked = Promise.withResolvers<void>()
  const { record, pushed, clock, chats, follower, start } = await desk(() => {
    asked.resolve()
    throw new LogUnavailable('the log is away')
  })
  await start()
  await record('chat-a', 0, opened as Event, claimed)
  await asked.promise
  await follower.stop()
  expect(chats.get('a')?.staffId).toBeNull()
  expect(pushed.map(({ name }) => name)).not.toContain('staff_claim_chat')
  expect(clock.pending()).toBe(0)
})

test('a feed that fails silences no other feed of its model', async () => {
  const { record, pushed, errors, start, reached } = await desk((read) => read())
  await record('person-acme.ann', 0, annIntroduced as Event)
  await start(true)
  await reached(await record('chat-a', 0, opened as Event, claimed))
  expect(errors.map(String)).toEqual(['Error: a feed with a bug', 'Error: a feed with a bug'])
  expect(pushed.map(({ name }) => name)).toContain('staff_claim_chat')
})

test('[PUSH-17] a profile that changes while it is read is known as it is after the change', async () => {
  const asked = Promise.withResolvers<void>()
  const mayRead = Promise.withResolvers<void>()
  const { record, profiles, start, reached } = await desk(async function* (read) {
    const found: (readonly Recorded[])[] = []
    for await (const batch of read()) found.push(batch)
    asked.resolve()
    await mayRead.promise // what was found is old by then
    yield* found
  })
  await record('person-acme.ann', 0, annIntroduced as Event)
  await start()
  const fetching = profiles.fetch(ann)
  await asked.promise
  await reached(
    await record('person-acme.ann', 1, {
      type: 'ProfileChanged',
      role: 'agent',
      profile: { name: 'Anna' },
      at,
    } as Event),
  )
  mayRead.resolve()
  expect((await fetching)?.profile).toEqual({ name: 'Anna' })
  expect(profiles.get(ann)?.profile).toEqual({ name: 'Anna' })
})

test('[READY-1] a following that has ended says why', async () => {
  const inner = memoryLog({ codec: codec(eventSchemas), now: () => at })
  let end: (error: Error) => void = () => {}
  const log: Log = {
    ...inner,
    follow(options) {
      end = (error) => options.failed?.(error)
      return inner.follow(options)
    },
  }
  const errors: unknown[] = []
  const follower = openFollower({
    ...{ log, outlet: silent, profiles: new ProfileCache(log), clock: manualClock(), trail: openTrail() },
    ...{ onError: (error) => void errors.push(error), onAnotherPast: (error) => void errors.push(error) },
  })
  onTestFinished(() => follower.stop())
  await follower.start({ models: [], feeds: [], from: null, online: () => [], onEvent() {} })
  expect(follower.ended()).toBeNull()
  const bug = new Error('a bug in the log')
  end(bug)
  expect([follower.ended(), errors]).toEqual(['a bug in the log', [bug]])
})
