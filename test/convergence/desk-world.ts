import fc from 'fast-check'
import { type ActorRefFrom, createActor } from 'xstate'
import { catalogue, eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import type { chatMachine } from '../../machines/chat/machine.ts'
import type { Event, Party, Recorded, Role } from '../../machines/kernel.ts'
import { Refusal } from '../../machines/kernel.ts'
import { categoryIn } from '../../machines/stream.ts'
import { deskRooms } from '../../src/contracts/support-chat/audiences.ts'
import { chatsModel, flaggedIn, openChatsOf, unclaimedIn } from '../../src/contracts/support-chat/chats-model.ts'
import { deskFeeds } from '../../src/contracts/support-chat/feeds.ts'
import { type OpeningBounds, staffInit } from '../../src/contracts/support-chat/opening.ts'
import { usersOf } from '../../src/contracts/support-chat/users.ts'
import type { StaffInit } from '../../src/contracts/support-chat/wire.ts'
import type { Connection } from '../../src/delivery/connection.ts'
import type { Feed } from '../../src/delivery/feed.ts'
import { type Audience, type Notice, personRoom } from '../../src/delivery/notice.ts'
import { onlineIn, onlineModel } from '../../src/delivery/online-model.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'

const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }

/** Who plays in random histories: two organisations, so that walls are tested too. */
export const PEOPLE: readonly Party[] = [
  { id: 'ann', org: 'acme', role: 'agent' },
  { id: 'bob', org: 'acme', role: 'agent' },
  { id: 'sue', org: 'acme', role: 'supervisor' },
  { id: 'ada', org: 'acme', role: 'admin' },
  vera,
  { id: 'vic', org: 'acme', role: 'visitor' },
  { id: 'eve', org: 'other', role: 'admin' },
  { id: 'evan', org: 'other', role: 'visitor' },
]

/** One command to one machine; whether it is accepted is for the machine to say. */
export interface Step {
  readonly category: 'chat' | 'presence' | 'person'
  readonly stream: string
  readonly command: { readonly type: string; readonly by: Party; readonly at: number }
}

const visitors = PEOPLE.filter(({ role }) => role === 'visitor')
const party = fc.constantFrom(...PEOPLE)
const at = 1_700_000_000_000

const colleagues = (org: string): readonly Party[] => PEOPLE.filter((one) => one.org === org && one.role !== 'visitor')

/** Lyceum itself closes or returns what is abandoned. */
const whoAsks = (type: string, by: Party): Party =>
  type === 'CloseAbandonedChat' || type === 'ReturnAbandonedChat'
    ? { id: 'abandoned-chats', org: by.org, role: 'system' }
    : by

const chatStep = (chats: readonly number[]): fc.Arbitrary<Step> =>
  fc
    .record({
      type: fc.constantFrom(
        'OpenChat',
        'OpenChat',
        'Write',
        'Write',
        'Write',
        'ClaimChat',
        'ClaimChat',
        'TakeOverChat',
        'TakeOverChat',
        'FlagChat',
        'FlagChat',
        'LeaveChat',
        'CloseAbandonedChat',
        'TransferChat',
        'ReturnChat',
        'AssignChat',
        'ReturnAbandonedChat',
      ),
      by: party,
      // Mostly one visitor's one chat, or few would get beyond their opening.
      owner: fc.oneof({ weight: 3, arbitrary: fc.constant(vera) }, fc.constantFrom(...visitors)),
      nth: fc.constantFrom(...chats),
      severity: fc.nat({ max: 2 }),
      n: fc.nat({ max: 99 }),
    })
    .map(({ type, by, owner, nth, severity, n }) => {
      const who = whoAsks(type, type === 'OpenChat' || (type === 'Write' && n % 2) ? owner : by)
      const visitor = { name: who.id, email: null, createdAt: at, updatedAt: null }
      const to = colleagues(owner.org)[n % colleagues(owner.org).length]
      const command = { type, by: who, at: at + n * 1000, visitor, content: { n }, severity, gone: by.id, to }
      return {
        category: 'chat',
        stream: `chat-${owner.org}-${owner.id}-${nth}`,
        command: command as unknown as ChatCommand,
      }
    })
const presenceStep: fc.Arbitrary<Step> = fc
  .record({
    type: fc.constantFrom('Arrive', 'Arrive', 'Leave', 'Return', 'Expire'),
    by: party,
    how: fc.constantFrom('closed', 'lost'),
    n: fc.nat({ max: 99 }),
  })
  .map(({ type, by, how, n }) => {
    const command = { type, by, role: by.role, how, graceMs: 20_000, lostAt: at, at: at + n * 1000 }
    return { category: 'presence', stream: `presence-${by.org}.${by.id}`, command }
  })
const personStep: fc.Arbitrary<Step> = fc
  .record({ type: fc.constantFrom('Introduce', 'Introduce', 'Disable', 'Enable'), who: party, n: fc.nat({ max: 5 }) })
  .map(({ type, who, n }) => {
    const by: Party = type === 'Introduce' ? who : { id: 'boss', org: who.org, role: 'admin' }
    const command = { type, by, role: who.role as Role, profile: { name: `${who.id} ${n}` }, issuedAt: n, at: at + n }
    return { category: 'person', stream: `person-${who.org}.${who.id}`, command }
  })

/** `chats`: the numbers of each visitor's chats. */
export const stepsOn = (...chats: readonly number[]) =>
  fc.array(fc.oneof({ weight: 6, arbitrary: chatStep(chats) }, { weight: 3, arbitrary: presenceStep }, personStep), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  })

export const steps = stepsOn(0, 0, 0, 1)

/**
 * The log that these steps make, by the machines' own decisions: everybody is introduced first, as on a real server.
 */
export function history(todo: readonly Step[]): readonly Recorded[] {
  const introductions = PEOPLE.map((by): Step => {
    const command = { type: 'Introduce', by, role: by.role, profile: { name: by.id }, issuedAt: 0, at }
    return { category: 'person', stream: `person-${by.org}.${by.id}`, command }
  })
  // The machines differ in type only; each gets the events that its own decide has made.
  const actors = new Map<string, ActorRefFrom<typeof chatMachine>>()
  const recorded: Recorded[] = []
  const revisions = new Map<string, number>()
  for (const { category, stream, command } of [...introductions, ...todo]) {
    const { machine, decide } = catalogue[category]
    const actor = actors.get(stream) ?? createActor(machine as typeof chatMachine).start()
    actors.set(stream, actor)
    const decision = (decide as (state: unknown, command: unknown) => readonly Event[] | Refusal)(
      actor.getSnapshot(),
      command,
    )
    if (decision instanceof Refusal) continue
    for (const event of decision) {
      actor.send(event as ChatEvent)
      const revision = (revisions.get(stream) ?? -1) + 1
      revisions.set(stream, revision)
      recorded.push({
        id: derivedUuid(`${stream}/${revision}`),
        stream,
        revision,
        position: BigInt(recorded.length * 3),
        at: command.at,
        event,
      })
    }
  }
  return recorded
}

/** A node without sockets: the models and feeds of the desk, moved by one event at a time. */
export function node() {
  const heard: Recorded[] = []
  const log = memoryLog({ codec: codec(eventSchemas), now: () => at })
  const past: typeof log = {
    ...log,
    async *read(stream, { from = 0, limit = Number.POSITIVE_INFINITY } = {}) {
      const found = heard.filter((recorded) => recorded.stream === stream)
      yield found.slice(from, from + limit) as never // the models read no more than `Recorded`
    },
  }
  const chats = chatsModel(past)
  const online = onlineModel(past)
  const profiles = new ProfileCache(past)
  const feeds = Object.values(deskFeeds(chats, { online, profiles })) as readonly Feed<unknown>[]
  let position = -1n
  return {
    /** As the follower does; nearly always without waiting. */
    async hear(recorded: Recorded): Promise<readonly Notice[]> {
      position = recorded.position
      const told: Notice[] = []
      for (const model of [chats, online, profiles]) {
        if (categoryIn(recorded.stream) !== model.category) continue
        if (model.isMissing(recorded)) await model.load(recorded)
        const change = model.onEvent(recorded)
        if (!change) continue
        for (const feed of feeds) if (feed.model === model) told.push(...feed.notices(change, profiles))
      }
      heard.push(recorded)
      return told
    },
    /** The very text that is sent. */
    opening(org: string, me: string, bounds?: OpeningBounds): StaffInit {
      const rows = {
        own: chats.list(openChatsOf(org, me)),
        unclaimed: chats.list(unclaimedIn(org)),
        flagged: chats.list(flaggedIn(org)),
      }
      const users = usersOf(profiles, org)
      const shown = { ...rows, online: online.list(onlineIn(org)), pos: String(position), users }
      return JSON.parse(staffInit(shown, bounds).text)
    },
  }
}

/** The rooms in which a connection of this person is. */
const roomsOf = (party: Party): readonly string[] => [
  personRoom(party),
  ...deskRooms({ kind: 'app', party } as Connection), // it looks at nothing else
]

export function reaches({ room, except = [] }: Audience, who: Party): boolean {
  const rooms = roomsOf(who)
  return rooms.includes(room) && !except.some((one) => rooms.includes(one))
}
