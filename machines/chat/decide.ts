import { type Decision, isStaff, isSupervising, rankOf, refuse, unreachable } from '../kernel.ts'
import type { ChatCommand } from './commands.ts'
import type { ChatEvent } from './events.ts'
import type { ChatState } from './machine.ts'

/**
 * What one visitor may put before every staff member's eyes as long as nobody has claimed the chat. Then only the log
 * holds it.
 */
const MAX_WAITING_BYTES = 512 * 1024
const MAX_WAITING_MESSAGES = 1_000
/** What a message takes besides its content, wherever it is kept or told. */
export const MESSAGE_WEIGHT = 256

/** What one chat may hold: it is read as a whole by whoever comes into it. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_MESSAGES = 100_000

/** What a command makes true, or why it makes nothing true. Pure: same input, same answer. */
export function decide(state: ChatState, command: ChatCommand): Decision<ChatEvent> {
  const { by } = command
  const { org, visitorId, staffId } = state.context

  if (command.type === 'OpenChat') {
    if (by.role !== 'visitor') return refuse('visitors-only')
    if (state.matches('new')) {
      if (!mayWait(state, command)) return refuse('queue-full')
      const { visitor, content } = command
      return [{ type: 'ChatOpened', org: by.org, visitorId: by.id, visitor, content, ...sized(command.bytes) }]
    }
    return state.matches('closed') ? refuse('chat-closed') : refuse('chat-already-open')
  }

  // Organisations are walls: somebody else's chat is answered exactly like one that does not exist.
  if (state.matches('new') || by.org !== org) return refuse('no-such-chat')
  if (by.role !== 'system' && !isStaff(by.role) && by.id !== visitorId) return refuse('no-such-chat')

  if (command.type === 'FlagChat') {
    if (!isStaff(by.role)) return refuse('staff-only')
    return command.severity === state.context.severity
      ? []
      : [{ type: 'ChatFlagged', severity: command.severity, staffId: by.id }]
  }

  if (state.matches('closed')) return 'gone' in command ? [] : refuse('chat-closed')

  switch (command.type) {
    case 'ClaimChat':
      if (!isStaff(by.role)) return refuse('staff-only')
      if (staffId === null)
        return command.again ? refuse('chat-not-claimed') : [{ type: 'ChatClaimed', staffId: by.id, role: by.role }]
      return staffId === by.id ? [] : refuse('chat-already-claimed', { staffId })

    case 'TakeOverChat':
      if (!isStaff(by.role)) return refuse('staff-only')
      if (staffId === null) return refuse('chat-not-claimed')
      if (staffId === by.id) return []
      if (rankOf(by.role) <= rankOf(state.context.staffRole ?? 'system')) return refuse('rank-too-low', { staffId })
      return [{ type: 'ChatTakenOver', staffId: by.id, role: by.role, from: staffId }]

    case 'TransferChat': {
      const { id, role } = command.to
      if (!isStaff(by.role)) return refuse('staff-only')
      if (staffId === null) return refuse('chat-not-claimed')
      if (staffId !== by.id) return refuse('not-serving-chat', { staffId })
      return id === staffId ? [] : [{ type: 'ChatTransferred', staffId: id, role, from: staffId }]
    }

    case 'ReturnChat':
      if (!isStaff(by.role)) return refuse('staff-only')
      if (staffId === null) return refuse('chat-not-claimed')
      return staffId === by.id ? [{ type: 'ChatReturned', staffId }] : refuse('not-serving-chat', { staffId })

    case 'AssignChat': {
      const { id, role } = command.to
      if (!isSupervising(by.role)) return refuse('supervisors-only')
      if (id === staffId) return []
      const outranks = rankOf(by.role) > rankOf(state.context.staffRole ?? 'system')
      if (staffId !== null && staffId !== by.id && !outranks) return refuse('rank-too-low', { staffId })
      return [{ type: 'ChatAssigned', staffId: id, role, from: staffId, by: by.id }]
    }

    case 'Write': {
      const { content, bytes = 0 } = command
      const isVisitor = by.role === 'visitor'
      if (!isVisitor && by.id !== staffId)
        return staffId === null ? refuse('chat-not-claimed') : refuse('not-serving-chat', { staffId })
      const { context } = state
      if (context.bytes + bytes > MAX_BYTES || context.messages >= MAX_MESSAGES) return refuse('chat-full')
      if (!isVisitor) return [{ type: 'StaffWrote', staffId: by.id, content, ...sized(command.bytes) }]
      if (state.matches('unclaimed') && !mayWait(state, command)) return refuse('queue-full')
      return [{ type: 'VisitorWrote', content, ...sized(command.bytes) }]
    }

    case 'LeaveChat':
      if (by.role === 'visitor') return [{ type: 'ChatClosed', reason: 'visitor-left' }]
      if (by.id === staffId) return [{ type: 'ChatClosed', reason: 'staff-left' }]
      return staffId === null ? refuse('chat-not-claimed') : refuse('not-serving-chat', { staffId })

    case 'CloseAbandonedChat':
      if (command.gone === visitorId) return [{ type: 'ChatClosed', reason: 'visitor-disconnected' }]
      if (command.gone === staffId) return [{ type: 'ChatClosed', reason: 'staff-disconnected' }]
      return [] // taken over by somebody who is still here

    case 'ReturnAbandonedChat':
      return command.gone === staffId ? [{ type: 'ChatReturned', staffId }] : []

    default:
      return unreachable(command)
  }
}

const sized = (bytes: number | undefined) => (bytes === undefined ? {} : { bytes })

/** Whether one more message may wait unclaimed. */
function mayWait(
  { context: { waitingBytes, waitingMessages } }: ChatState,
  { bytes = 0, mayWait = Number.POSITIVE_INFINITY }: Extract<ChatCommand, { readonly type: 'OpenChat' | 'Write' }>,
): boolean {
  const all = waitingBytes + bytes
  if (all > MAX_WAITING_BYTES || waitingMessages >= MAX_WAITING_MESSAGES) return false
  return all + MESSAGE_WEIGHT * (waitingMessages + 1) <= mayWait
}
