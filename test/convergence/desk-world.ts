import fc from 'fast-check'
import { type ActorRefFrom, createActor } from 'xstate'
import { catalogue, eventSchemas } from '../../machines/catalogue.ts'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import type { chatMachine } from '../../machines/chat/machine.ts'
import type { Event, Party, Recorded, Role } from '../../machines/kernel.ts'
import { Refusal } from '../../machines/kernel.ts'
import { CHAT_STREAM, type ChatRow, chats } from '../../projections/chats.ts'
import { announce, openingOf } from '../../src/contracts/support-chat/announce.ts'
import { Desk } from '../../src/contracts/support-chat/desk.ts'
import type { Audience } from '../../src/delivery/notice.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'

/** Who plays in random histories: two organisations, so that walls are tested too. */
export const PEOPLE: readonly Party[] = [
  { id: 'ann', org: 'acme', role: 'agent' },
  { id: 'bob', org: 'acme', role: 'agent' },
  { id: 'sue', org: 'acme', role: 'supervisor' },
  { id: 'ada', org: 'acme', role: 'admin' },
  { id: 'vera', org: 'acme', role: 'visitor' },
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

const chatStep: fc.Arbitrary<Step> = fc
  .record({
    type: fc.constantFrom(
      'OpenChat',
      'OpenChat',
      'Write',
      'Write',
      'ClaimChat',
      'TakeOverChat',
      'FlagChat',
      'FlagChat',
      'LeaveChat',
    ),
    by: party,
    owner: fc.constantFrom(...visitors),
    nth: fc.nat({ max: 1 }),
    severity: fc.nat({ max: 2 }),
    n: fc.nat({ max: 99 }),
  })
  .map(({ type, by, owner, nth, severity, n }) => {
    const who = type === 'OpenChat' || (type === 'Write' && n % 2) ? owner : by
    const visitor = { name: who.id, email: null, createdAt: at, updatedAt: null }
    const command = { type, by: who, at: at + n * 1000, visitor, content: { n }, severity }
    return { category: 'chat', stream: `chat-${owner.org}-${owner.id}-${nth}`, command: command as ChatCommand }
  })
const presenceStep: fc.Arbitrary<Step> = fc
  .record({
    type: fc.constantFrom('Arrive', 'Arrive', 'Leave', 'Expire'),
    by: party,
    how: fc.constantFrom('closed', 'lost'),
    n: fc.nat({ max: 99 }),
  })
  .map(({ type, by, how, n }) => {
    const command = { type, by, role: by.role, how, graceMs: 20_000, at: at + n * 1000 }
    return { category: 'presence', stream: `presence-${by.org}.${by.id}`, command }
  })
const personStep: fc.Arbitrary<Step> = fc
  .record({ type: fc.constantFrom('Introduce', 'Introduce', 'Disable', 'Enable'), who: party, n: fc.nat({ max: 5 }) })
  .map(({ type, who, n }) => {
    const by: Party = type === 'Introduce' ? who : { id: 'boss', org: who.org, role: 'admin' }
    const command = { type, by, role: who.role as Role, profile: { name: `${who.id} ${n}` }, issuedAt: n, at: at + n }
    return { category: 'person', stream: `person-${who.org}.${who.id}`, command }
  })

export const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: chatStep }, { weight: 3, arbitrary: presenceStep }, personStep),
  {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  },
)

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
        id: `${stream}/${revision}`,
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

/** A node without sockets: the desk and the directory, moved by one event at a time. */
export function node() {
  const desk = new Desk()
  const profiles = new ProfileCache(memoryLog({ codec: codec(eventSchemas), now: () => at }))
  const heard: Recorded[] = []
  let position = -1n
  return {
    hear(recorded: Recorded) {
      position = recorded.position
      if (desk.lacks(recorded)) recall(recorded)
      heard.push(recorded)
      return announce(desk, profiles, recorded)
    },
    opening: (org: string) => openingOf(desk, profiles, org, position),
  }

  /** As the fan-out does from the log. */
  function recall({ stream }: Recorded): void {
    let row: ChatRow | undefined
    for (const recorded of heard) if (recorded.stream === stream) row = chats.fold(row, recorded)
    if (row) desk.seedChat(stream.slice(CHAT_STREAM.length), row)
  }
}

export function reaches(to: Audience, { org, id, role }: Party): boolean {
  if (!('org' in to) || to.org !== org || ('except' in to && to.except?.includes(id))) return false
  switch (to.kind) {
    case 'person':
      return to.id === id
    case 'hubs':
      return false
    case 'staff':
      return role !== 'visitor'
    case 'agents':
      return role === 'agent'
    case 'supervising':
      return role === 'supervisor' || role === 'admin'
  }
}
