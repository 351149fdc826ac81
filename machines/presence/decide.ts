import { type Decision, unreachable } from '../kernel.ts'
import type { PresenceCommand } from './commands.ts'
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
      // `until` is set in `lost` and nowhere else.
      return state.context.until !== null && command.at >= state.context.until
        ? [gone(state, 'grace-over', command.at)]
        : []
    default:
      return unreachable(command)
  }
}

function arrive(state: PresenceState, { role, at }: PresenceCommand & { type: 'Arrive' }): readonly PresenceEvent[] {
  switch (state.value) {
    case 'offline':
      return [{ type: 'CameOnline', role, at }]
    case 'lost':
      return [{ type: 'CameBack', role, at }]
    case 'online':
      return []
    default:
      return unreachable(state.value)
  }
}

/**
 * Several nodes, and several sockets that come at once, report one return; a loss that was noticed meanwhile takes the
 * ordinary way.
 */
function comeBack(
  { value, context }: PresenceState,
  { role, graceMs, lostAt, at }: PresenceCommand & { type: 'Return' },
) {
  const { since, backAt } = context
  if (value !== 'online' || since === null || (backAt !== null && at <= backAt)) return []
  // what was heard last may be some ms older than its being recorded
  const lost = Math.min(at, Math.max(lostAt, since, backAt ?? since))
  return [{ type: 'ConnectionLost', until: lost + graceMs, at: lost } as const, { type: 'CameBack', role, at } as const]
}

function leave(state: PresenceState, command: PresenceCommand & { type: 'Leave' }): readonly PresenceEvent[] {
  const { how, graceMs, by, at } = command
  const { since, backAt } = state.context
  if (state.matches('offline')) return []
  // Seen last before the presence began or went on, or later than now: other nodes' clocks.
  const seenAt = Math.min(at, Math.max(command.seenAt ?? at, since ?? at, backAt ?? 0))
  switch (how) {
    case 'closed':
      return [gone(state, by.role === 'system' ? 'disabled' : 'left', seenAt)]
    case 'lost':
      if (state.matches('lost')) return [] // the grace runs from the first loss
      return graceMs > 0
        ? [{ type: 'ConnectionLost', until: at + graceMs, at: seenAt }]
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
