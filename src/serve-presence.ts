import { Refusal, unreachable } from '../machines/kernel.ts'
import type { PresenceEvent } from '../machines/presence/events.ts'
import { idIn, isOf } from '../machines/stream.ts'
import type { OnlineRow } from '../projections/online.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Listener } from './delivery/listeners.ts'
import type { LiveModel } from './delivery/live-model.ts'
import { LOST } from './delivery/online-model.ts'
import { keepNewest } from './keep-newest.ts'
import { type AliveKeys, noAliveKeys } from './presence/alive-keys.ts'
import {
  PresenceDamaged,
  type PresenceTracker,
  PresenceUnavailable,
  presenceTracker,
  type RecordedPresence,
} from './presence/tracker.ts'
import { isDamaged } from './runtime/damaged-entities.ts'
import type { Entities } from './runtime/entities.ts'
import type { ConnectionParts } from './serve-connections.ts'

export interface PresencePartsOptions {
  readonly config: Config
  readonly clock: Clock
  readonly connections: ConnectionParts
  readonly entities: Entities
  readonly online: LiveModel<OnlineRow>
  readonly onError: (error: unknown, where: string) => void
}

/** Who is connected becomes what is recorded, and what other programs read in Redis. */
export interface PresenceParts {
  readonly tracker: PresenceTracker
  readonly keys: AliveKeys
  /** Of recorded edges. */
  readonly listener: Listener
}

const MAX_DAMAGED = 10_000

export async function presenceParts(options: PresencePartsOptions): Promise<PresenceParts> {
  const { config, clock, connections, entities, online, onError } = options
  const { leases, lastSeen, diedAt, onlyNode } = connections

  /** People of whom nothing can be recorded, as far as this node has met them. */
  const damaged = new Set<string>()

  /** Everybody who is recorded as online or as lost, as this node has heard. */
  function* recordedAs(state: OnlineRow['state']) {
    for (const [person, row] of state === 'lost' ? online.list(LOST) : online.entries())
      if (row.state === state && !damaged.has(person)) yield { person, until: row.state === 'lost' ? row.until : 0 }
  }

  const tracker = presenceTracker({
    leases,
    lastSeen,
    diedAt,
    clock,
    graceMs: config.disconnectGraceMs,
    ttlMs: config.leaseMs,
    async ask(person, command) {
      const answer = await entities.ask('presence', person, command)
      if (isDamaged(answer)) {
        damaged.add(person)
        keepNewest(damaged, MAX_DAMAGED)
        throw new PresenceDamaged(`the presence of ${person} is damaged`)
      }
      damaged.delete(person)
      // Presence itself never refuses: this is the log, or a mailbox, that cannot take it now.
      if (answer instanceof Refusal)
        throw new PresenceUnavailable(`the presence of ${person} could not be recorded: ${answer.code}`)
      const last = answer.events.at(-1) as PresenceEvent | undefined // by the entity's category
      return last === undefined ? (await entities.state('presence', person)).state.value : stateAfter(last.type)
    },
    *online() {
      for (const { person } of recordedAs('online')) yield person
    },
    due: () => recordedAs('lost'),
    onError(error) {
      if (!(error instanceof PresenceDamaged)) onError(error, 'presence') // the operator was told when it was found
    },
  })
  const keys =
    config.redisUrl === null
      ? noAliveKeys
      : await (await import('./presence/redis-alive-keys.ts')).openRedisAliveKeys({
          url: config.redisUrl,
          ttlMs: config.leaseMs,
          onlyNode,
          since: (person) => online.get(person)?.since,
          onError: (error) => onError(error, 'alive-keys'),
        })

  return {
    tracker,
    keys,
    listener: {
      categories: ['presence'],
      onEvent(recorded) {
        if (!isOf('presence', recorded)) return
        const person = idIn('presence', recorded.stream) ?? ''
        const state = stateAfter(recorded.event.type)
        const { event, at } = recorded
        tracker.onEdge(person, state, event.type === 'ConnectionLost' ? Math.max(0, event.until - at) : undefined)
        if (state !== 'online') void keys.gone(person, state) // never rejects
      },
    },
  }
}

function stateAfter(type: PresenceEvent['type']): RecordedPresence {
  switch (type) {
    case 'CameOnline':
    case 'CameBack':
      return 'online'
    case 'ConnectionLost':
      return 'lost'
    case 'WentOffline':
      return 'offline'
    default:
      return unreachable(type)
  }
}
