import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { Event } from '../../machines/kernel.ts'
import { chatsModel } from '../../src/contracts/support-chat/chats-model.ts'
import { deskFeeds } from '../../src/contracts/support-chat/feeds.ts'
import { openFollower } from '../../src/delivery/follower.ts'
import { onlineModel } from '../../src/delivery/online-model.ts'
import type { Outlet } from '../../src/delivery/outlet.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { UnreadableEvent } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { newerCodec } from '../support/newer-release.ts'

const at = 1_700_000_000_000
const visitor = { name: 'Vera', email: null, createdAt: at, updatedAt: null }
const opened = { type: 'ChatOpened', org: 'acme', visitorId: 'vera', visitor, content: {} }
const profile = { name: 'Ann' }

test('[LOG-2] a follower that hears an event of a newer version says so, and tells of everything else', async () => {
  const log = memoryLog({ codec: newerCodec('ChatFlagged', 'ProfileChanged'), now: () => at })
  const record = async (stream: string, first: number, ...events: readonly Event[]): Promise<bigint> => {
    const meta = { correlationId: randomUUID(), by: 'system' }
    const proposed = events.map((event) => ({ id: randomUUID(), event, meta }))
    return (await log.append(stream, first - 1, proposed)).positions.at(-1) ?? -1n
  }
  const introduced = { type: 'PersonIntroduced', org: 'acme', id: 'ann', role: 'agent', profile, issuedAt: 0, at }
  await record('person-acme.ann', 0, introduced, { type: 'ProfileChanged', role: 'agent', profile, at } as Event)

  const pushed: { name: string; seq: number }[] = []
  const outlet: Outlet = {
    push: (_, name, data) => void pushed.push({ name, seq: (data as { seq: number }).seq }),
    join() {},
    leave() {},
    disconnectUser() {},
  }
  const errors: unknown[] = []
  const heard: bigint[] = []
  const profiles = new ProfileCache(log)
  const online = onlineModel(log)
  const chats = chatsModel(log)
  const follower = openFollower({ log, outlet, profiles, onError: (error) => void errors.push(error) })
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
