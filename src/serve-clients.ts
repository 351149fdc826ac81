import { isStaff } from '../machines/kernel.ts'
import { idIn, isOf, personIn } from '../machines/stream.ts'
import type { OnlineRow } from '../projections/online.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { CatchUp } from './delivery/catch-up.ts'
import { type Contract, type Door, namespacesOf, type Served } from './delivery/contract.ts'
import type { Follower } from './delivery/follower.ts'
import type { Listener } from './delivery/listeners.ts'
import type { LiveModel } from './delivery/live-model.ts'
import type { Past } from './delivery/past.ts'
import type { ProfileCache } from './delivery/profile-cache.ts'
import type { Authenticator } from './gateway/auth/authenticator.ts'
import { type Limit, tokenBuckets } from './gateway/auth/limits.ts'
import { arrivals } from './gateway/sockets/arrivals.ts'
import { connectionRegistry } from './gateway/sockets/connection-registry.ts'
import { returnRate } from './gateway/sockets/connects.ts'
import type { CursorSockets } from './gateway/sockets/cursor-sockets.ts'
import { droppedParticipants } from './gateway/sockets/dropped-participants.ts'
import { type InboundGate, openInbound } from './gateway/sockets/inbound.ts'
import { lettingIn } from './gateway/sockets/letting-in.ts'
import type { Receipts } from './gateway/sockets/receipts.ts'
import { resumptions } from './gateway/sockets/resumption.ts'
import { serveSockets } from './gateway/sockets/serve-sockets.ts'
import { watchSlowReaders } from './gateway/sockets/slow-readers.ts'
import { MAX_FRAME_BYTES, type Sockets } from './gateway/sockets/sockets.ts'
import type { WaitingBytes } from './gateway/waiting-bytes.ts'
import type { Log } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import type { openMetrics } from './observe/metrics.ts'
import type { StrangersTold } from './observe/strangers-told.ts'
import type { Hubs } from './presence/hubs.ts'
import type { ReceiptStore } from './presence/receipt-store.ts'
import type { Entities } from './runtime/entities.ts'
import type { ConnectionParts } from './serve-connections.ts'
import type { PresenceParts } from './serve-presence.ts'

export interface ServeClientsOptions {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ReturnType<typeof openMetrics>
  readonly strangers: StrangersTold
  readonly log: Log
  readonly entities: Entities
  readonly profiles: ProfileCache
  readonly online: LiveModel<OnlineRow>
  readonly follower: Follower
  readonly hubs: Hubs
  readonly auth: Authenticator
  readonly perPerson: Limit
  readonly perAddress: Limit
  readonly newPeople: Limit
  readonly waiting: WaitingBytes
  readonly onError: (error: unknown, where: string) => void
  readonly io: Sockets['io']
  readonly handshake: Sockets['handshake']
  readonly frames: Sockets['frames']
  readonly connections: ConnectionParts
  readonly presence: PresenceParts
  readonly contracts: readonly Contract[]
  /** In the order of `contracts`. */
  readonly served: readonly Served[]
  readonly cursorSockets: CursorSockets
  readonly receipts: Receipts
  readonly catchUpOf: (pasts: readonly Past[]) => CatchUp
}

export interface ServedClients {
  /** What somebody has missed, over HTTP as well. */
  readonly catchUp: CatchUp
  /** From now on commands are refused; resolves when those in hand are answered. */
  drain(): Promise<void>
  stop(): void
}

/** Lets clients in over sockets: who may come, what they may ask, what they are told. */
export function serveClients(options: ServeClientsOptions): ServedClients {
  const { config, clock, logger, metrics, log, entities, profiles, online, follower, perPerson, perAddress, onError } =
    options
  const { io, connections, contracts, served, cursorSockets, receipts, catchUpOf } = options
  const { now } = clock
  const debugging = logger.isLevelEnabled('debug')
  /** What is emitted in a namespace, by the contracts that are there. */
  const inboundOf = (its: readonly number[]): InboundGate =>
    openInbound({
      contracts: its.map((i) => ({ refusals: contracts[i]?.refusals ?? {}, inbound: served[i]?.inbound })),
      profiles,
      perPerson,
      perAddress,
      now,
      observe: {
        command(name, party, outcome, milliseconds) {
          metrics.command(name, outcome, milliseconds)
          const by = { org: party.org, by: party.id, role: party.role }
          if (debugging) logger.debug({ command: name, ...by, outcome, ms: milliseconds }, 'command')
        },
        unknownEvent(name) {
          metrics.unknownEvent()
          options.strangers.event(name)
        },
        failed: onError,
      },
    })
  const registry = connectionRegistry({
    presence: options.presence.tracker,
    keys: options.presence.keys,
    online,
    follower,
    hubs: options.hubs,
    liveness: connections.liveness,
    clock,
  })
  const dropped = droppedParticipants({
    ...{ config, online, clock, follower, contracts: served, store: connections.guests },
  })
  const returns = tokenBuckets(returnRate(config.ratePerPerson))
  const lettingInBy = (door: Door | undefined) =>
    lettingIn({
      arrive: arrivals({ ...options, dropped, door }),
      returns,
      entities,
      registry,
      resumption: resumptions({ log, follower }),
      emit: cursorSockets.emit,
      now,
    })
  const namespaces = namespacesOf(contracts)
  const rooms = namespaces.map((name) => {
    const its = contracts.flatMap((contract, i) => (contract.namespace === name ? [i] : []))
    const here = its.flatMap((i) => served[i] ?? [])
    const door = contracts[its[0] ?? -1]?.door
    const inbound = inboundOf(its)
    const catchUp = catchUpOf(here.flatMap(({ past }) => past ?? []))
    serveSockets({
      ...{ namespace: io.of(name), letIn: lettingInBy(door), contracts: here },
      ...{ frames: options.frames, maxFrameBytes: door?.maxFrameBytes ?? MAX_FRAME_BYTES },
      ...{ entities, profiles, registry, follower, inbound, dropped, clock, onError },
      onPutOff({ code, message }) {
        metrics.putOff(code)
        if (debugging) logger.debug({ code, why: message }, 'a connection was put off')
      },
      ...{ catchUp, cursorSockets, receipts },
    })
    return { inbound }
  })
  const slowReaders = watchSlowReaders({
    ...{ io, namespaces, clock, waiting: options.waiting },
    onCutOff(reader) {
      metrics.cutOff()
      logger.warn(reader, 'a client that does not read was disconnected')
    },
  })
  return {
    catchUp: catchUpOf(served.flatMap(({ past }) => past ?? [])),
    drain: async () => void (await Promise.all(rooms.map(({ inbound }) => inbound.drain()))),
    stop: slowReaders.stop,
  }
}

/** Names are kept of those who are online, and of staff. */
export const keepsWhoIsHere = (profiles: ProfileCache, receipts: Pick<ReceiptStore, 'forget'>): Listener => ({
  categories: ['presence'],
  onEvent(recorded) {
    if (!isOf('presence', recorded)) return
    const name = idIn('presence', recorded.stream) ?? ''
    const person = personIn(name)
    if (recorded.event.type !== 'WentOffline') return profiles.keep(person)
    receipts.forget(name)
    if (!isStaff(profiles.get(person)?.role ?? 'visitor')) profiles.forget(person)
  },
})
