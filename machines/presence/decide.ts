import { type Decision, unreachable } from '../kernel.ts'
import type { PresenceCommand, Return } from './commands.ts'
import type { OfflineReason, PresenceEvent } from './events.ts'
import type { PresenceState } from './machine.ts'

/** Never refuses: what several nodes see and report twice, late or in vain changes nothing. */
export function decide(state: PresenceState, command: PresenceCommand): Decision<PresenceEvent> {
  switch (command.type) {
    case 'Arrive':
      return arrive(state, command)
    case 'Leave':
      return leave(state, command)
    case 'Return':
      return comeBack(state, command)
    case 'Expire':
      // `until` is set in `lost` and nowhere else. It only tells losses apart: the clock may have been stepped since.
      return state.context.until === command.until ? [gone(state, 'grace-over', command.at)] : []
    default:
      return unreachable(command)
  }
}

function arrive(
  { value, context }: PresenceState,
  { role, at }: PresenceCommand & { type: 'Arrive' },
): readonly PresenceEvent[] {
  switch (value) {
    case 'offline':
      // Its beginning tells a presence from others, also where the clock stands still.
      return [{ type: 'CameOnline', role, at: Math.max(at, (context.past?.since ?? 0) + 1, context.past?.until ?? 0) }]
    case 'lost':
      return [{ type: 'CameBack', role, at: Math.max(at, context.lostAt ?? at) }]
    case 'online':
      return []
    default:
      return unreachable(value)
  }
}

/**
 * Several nodes, and several sockets that come at once, report one return; a loss that was noticed meanwhile takes the
 * ordinary way.
 */
function comeBack(
  { value, context }: PresenceState,
  { role, graceMs, lostAt, backAt, backBefore }: Return,
): readonly PresenceEvent[] {
  const first = firstLoss(context)
  if (value !== 'online' || first === null || context.backAt !== backBefore) return []
  // what was heard last may be some ms older than its being recorded
  const back = Math.max(backAt, first)
  const lost = Math.min(back, Math.max(lostAt, first))
  return [
    { type: 'ConnectionLost', until: lost + graceMs, at: lost },
    { type: 'CameBack', role, at: back },
  ]
}

/** The earliest that they can be lost (again); null: they are not there. The time of a loss tells it from others. */
const firstLoss = ({ since, backAt }: PresenceState['context']): number | null => (backAt === null ? since : backAt + 1)

function leave(state: PresenceState, command: PresenceCommand & { type: 'Leave' }): readonly PresenceEvent[] {
  const { how, graceMs, by, at } = command
  if (state.matches('offline')) return []
  // Seen last before the presence began or went on, or later than now: other nodes' clocks.
  const seenAt = Math.max(Math.min(at, command.seenAt ?? at), firstLoss(state.context) ?? at)
  switch (how) {
    case 'closed':
      return [gone(state, by.role === 'system' ? 'disabled' : 'left', seenAt)]
    case 'lost':
      if (state.matches('lost')) return [] // the grace runs from the first loss
      return graceMs > 0
        ? [{ type: 'ConnectionLost', until: Math.max(at, seenAt) + graceMs, at: seenAt }]
        : [gone(state, 'grace-over', seenAt)]
    default:
      return unreachable(how)
  }
}

/**
 * A presence ends when the last connection was lost, or closed: the grace itself was no presence, if nobody came back.
 */
function gone({ context }: PresenceState, reason: OfflineReason, at: number): PresenceEvent {
  const since = context.since === null ? {} : { since: context.since }
  return { type: 'WentOffline', reason, ...since, at: context.lostAt ?? at }
}
