import { catalogue, type Kinds, schemasOf } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { personIn, personName } from '../../machines/stream.ts'
import { readConfig } from '../../src/config.ts'
import type { Connection } from '../../src/delivery/connection.ts'
import type { Contract, Node, Served } from '../../src/delivery/contract.ts'
import { openFollower } from '../../src/delivery/follower.ts'
import { listeners } from '../../src/delivery/listeners.ts'
import { hubRoom, personRoom } from '../../src/delivery/notice.ts'
import { onlineModel } from '../../src/delivery/online-model.ts'
import { ProfileCache } from '../../src/delivery/profile-cache.ts'
import { openPasswords } from '../../src/gateway/auth/passwords.ts'
import { subscriptionsTo } from '../../src/gateway/sockets/subscriptions.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openTrail } from '../../src/log/trail.ts'
import { openHubs } from '../../src/presence/hubs.ts'
import { localProbe } from '../../src/presence/liveness-probe.ts'
import { memoryLeases } from '../../src/presence/memory.ts'
import type { Answer } from '../../src/runtime/answer.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { manualClock } from '../support/clock.ts'
import { fakeConnection } from '../support/connection.ts'
import { memoryFiles } from '../support/memory-files.ts'
import { type Heard, type Member, onTheWire, rooms } from '../support/rooms.ts'
import { type Asked, audit } from './audit.ts'

/** Somebody's connection, and what it was told. */
export interface Client {
  readonly party: Party
  readonly heard: readonly Heard[]
  readonly member: Member
  /** As a client emits it: decoded by the contract's row, then called. */
  emit(name: string, data: object): Promise<Answer>
}

/** One node, whole but for sockets, HTTP and stores of views: the real entities, log, follower and engine. */
export interface World {
  readonly node: Node
  readonly kinds: Kinds
  /** They are recorded as online, enter their rooms and are told the openings, as the gateway does it. */
  connect(party: Party, kind?: 'app' | 'hub'): Promise<Client>
  /** Asks an entity, as HTTP does. */
  ask: Node['entities']['ask']
  /** Lets time pass, in milliseconds: what becomes due is done. */
  advance(ms: number): void
  /** Everything that is recorded was told, and whatever waited for a pace is out. */
  settled(): Promise<void>
  /** When it has settled: that everything asked since the last time is recorded as it was answered. Gives that. */
  audited(): Promise<readonly Asked[]>
  stop(): Promise<void>
}

let passwords: ReturnType<typeof openPasswords> | undefined

export async function oneNode(contracts: readonly Contract[], kinds: Kinds = catalogue): Promise<World> {
  const clock = manualClock()
  const log = memoryLog({ codec: codec(schemasOf(kinds)), now: clock.now })
  const opened = openEntities({
    kinds,
    log,
    snapshots: memorySnapshots(),
    shared: false,
    now: clock.now,
    idleMs: 60_000,
  })
  const asked: Asked[] = []
  const entities: Node['entities'] = {
    ...opened,
    async ask(category, id, command, call) {
      const answer = await opened.ask(category, id, command, call)
      asked.push({ category, id, command, answer })
      return answer
    },
  }
  const books = audit(kinds, { log, entities })
  const { outlet, enter } = rooms(clock.now)
  const [online, profiles] = [onlineModel(log), new ProfileCache(log)]
  const onError = (error: unknown): never => {
    throw error
  }
  const follower = openFollower({
    ...{ log, outlet, profiles, clock, onError },
    ...{ trail: openTrail(), onAnotherPast: onError },
  })
  const leases = memoryLeases()
  passwords ??= openPasswords()
  const node: Node = {
    config: readConfig({}),
    clock,
    log,
    entities,
    views: {
      get: () => Promise.reject(new Error('no views here')),
      scan: () => Promise.reject(new Error('no views here')),
      reached: async () => true,
    },
    upTo: () => follower.position(),
    follower,
    online,
    profiles,
    outlet,
    subscriptionsTo: (topic) => subscriptionsTo(topic, { entities, follower, log, now: clock.now, onError }),
    leases,
    streams: { open: () => Promise.reject(new Error('no streams here')) as never, countOf: () => 0 },
    catchUp: () => {
      throw new Error('nobody was away here')
    },
    files: memoryFiles(),
    hubs: openHubs({ leases, liveness: localProbe(), clock, onError }),
    passwords: await passwords,
    newPeople: { take: () => true },
    authenticator: { verify: () => Promise.reject(new Error('no tokens here')), sign: null },
    organisations: { admit: async () => null },
    onError,
  }
  const served = contracts.map((contract) => contract.open(node))
  const feeds = served.flatMap((one) => one.feeds ?? [])
  await follower.start({
    models: [...new Set([online, ...feeds.map(({ model }) => model)])].filter((model) => model !== profiles),
    feeds,
    from: null,
    *online() {
      for (const [person] of online.entries()) yield personIn(person)
    },
    onEvent: listeners(
      served.flatMap(({ subscriptions = [], policies = [] }) => [...subscriptions, ...policies]),
      onError,
    ),
  })

  const heardAll = async (): Promise<void> => {
    await follower.until(() => follower.position() >= entities.lastPosition(), AbortSignal.timeout(10_000))
  }

  const world: World = {
    node,
    kinds,
    async connect(party, kind = 'app') {
      const by = personName(party)
      const role = party.role === 'system' ? 'agent' : party.role
      const profile = { display_name: `D. ${party.id}` }
      const introduction = { type: 'Introduce', role, profile, issuedAt: 0, by: party, at: clock.now() } as const
      await entities.ask('person', by, introduction)
      if (kind === 'app') await entities.ask('presence', by, { type: 'Arrive', role, by: party, at: clock.now() })
      await heardAll()
      const member = enter(kind === 'hub' ? hubRoom(party) : personRoom(party))
      const { context } = (await entities.state('person', by)).state
      const connection = fakeConnection(party, {
        kind,
        person: context,
        emit: (name, data) => void member.heard.push({ at: clock.now(), name, data: onTheWire(data) }),
        join: (room) => void member.rooms.add(room),
        leave: (room) => void member.rooms.delete(room),
      })
      for (const one of served) for (const room of one.rooms?.(connection) ?? []) member.rooms.add(room)
      for (const one of served) {
        const opening = await one.prepare?.(connection)
        if (opening?.() === false) throw new Error('nothing happens meanwhile, and yet an opening is behind')
      }
      for (const one of served) one.arrive?.(connection)
      return {
        party,
        heard: member.heard,
        member,
        emit: (name, data) => emitted(served, connection, name, data, clock.now()),
      }
    },
    ask: entities.ask,
    advance: clock.advance,
    async audited() {
      const since = asked.splice(0)
      await books.check(since)
      return since
    },
    async settled() {
      for (let quiet = 0; quiet < 3; quiet++) {
        const before = entities.lastPosition()
        await heardAll()
        await new Promise(setImmediate)
        for (let rounds = 0; clock.pending() > 0 && rounds < 20; rounds++) clock.advance(1_100)
        if (entities.lastPosition() !== before) quiet = -1
      }
    },
    async stop() {
      for (const one of served) one.stop?.()
      await follower.stop()
      await entities.stop()
      await log.close()
    },
  }
  return world
}

async function emitted(served: readonly Served[], from: Connection, name: string, data: object, at: number) {
  for (const { inbound } of served) {
    const row = inbound?.rows[name]
    if (!row) continue
    const call = row([data], from, at)
    return call instanceof Refusal ? call : (await call(() => {})).answer
  }
  throw new Error(`no contract has a row for ${name}`)
}
