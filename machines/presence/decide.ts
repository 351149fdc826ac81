import { type Decision, unreachable } from '../kernel.ts'
import type { PresenceCommand } from './commands.ts'
import type { PresenceEvent } from './events.ts'
import type { PresenceState } from './machine.ts'

/** Never refuses: what several nodes see and report twice, late or in vain changes nothing. */
export function decide(state: PresenceState, command: PresenceCommand): Decision<PresenceEvent> {
  switch (command.type) {
    case 'Arrive':
      return arrive(state, command)
    case 'Leave':
      return leave(state, command)
    case 'Expire':
      // `until` is set in `lost` and nowhere else.
      return state.context.until !== null && command.at >= state.context.until ? [{ type: 'WentOffline', reason: 'grace-over' }] : []
    default:
      return unreachable(command)
  }
}

function arrive(state: PresenceState, { role, at }: PresenceCommand & { type: 'Arrive' }): readonly PresenceEvent[] {
  switch (state.value) {
    case 'offline':
      return [{ type: 'CameOnline', role, at }]
    case 'lost':
      return [{ type: 'CameBack', role }]
    case 'online':
      return []
    default:
      return unreachable(state.value)
  }
}

function leave(state: PresenceState, { how, graceMs, by, at }: PresenceCommand & { type: 'Leave' }): readonly PresenceEvent[] {
  if (state.matches('offline')) return []
  switch (how) {
    case 'closed':
      return [{ type: 'WentOffline', reason: by.role === 'system' ? 'disabled' : 'left' }]
    case 'lost':
      if (state.matches('lost')) return [] // the grace runs from the first loss
      return graceMs > 0 ? [{ type: 'ConnectionLost', until: at + graceMs }] : [{ type: 'WentOffline', reason: 'grace-over' }]
    default:
      return unreachable(how)
  }
}
