import { type Decision, type Party, refuse } from '../kernel.ts'
import type { JoinLesson } from './commands.ts'
import type { LessonEvent } from './events.ts'
import { isOver, type LessonState, type Seat, seatOf } from './machine.ts'

/**
 * Who may come in: students, teachers and admins of the lesson's organisation, and guests who know the code or have
 * been in before. One presence, on however many devices, is in at most once.
 */
export function join(state: LessonState, command: JoinLesson): Decision<LessonEvent> {
  const { by, at, presence, backAt } = command
  const { org, startedAt, seats } = state.context
  const seat = seatOf(seats, by.id)
  const known = seat !== undefined && seat.home === by.org

  if (by.org !== org && !(command.guest && (command.invited || known))) return refuse('no-such-lesson')
  if (!isParticipant(by.role)) return refuse('participants-only')
  if (isOver(state, at)) return refuse('lesson-ended')
  if (seat && !known) return refuse('participant-id-taken')
  if (seat?.kind === 'in' && seat.presence === presence) return []
  const asked = seat?.kind === 'out' && seat.asked
  if (command.resume && asked && isSameClient(seat, command)) return refuse('left-lesson')

  const events: LessonEvent[] = []
  const leftAt = seat && goneSince(seat, command)
  if (seat?.kind === 'in' && leftAt !== undefined) {
    events.push({ type: 'ParticipantLeft', participantId: by.id, reason: 'disconnected', at: leftAt })
  }
  const who = { participantId: by.id, role: by.role }
  const backUntil = backAt ?? presence - 1
  events.push({ type: 'ParticipantJoined', ...who, name: command.name, at, home: by.org, presence, backUntil })
  const wasLost = seat !== undefined && (seat.kind === 'in' || seat.reason === 'disconnected')
  if (startedAt !== null && leftAt !== undefined && ((command.resume && !asked) || wasLost)) {
    events.push({ type: 'ParticipantReconnected', ...who, awayMs: Math.max(0, at - leftAt), at })
  }
  return events
}

/**
 * When somebody who comes again went. Who is still in came in a presence that is over, which is only not recorded here
 * yet.
 */
function goneSince(seat: Seat, { presence, past }: JoinLesson): number {
  if (seat.kind === 'out') return seat.leftAt
  return Math.max(seat.since, past?.since === seat.presence ? past.until : presence)
}

/**
 * A client that comes back names the lesson again and again, also one that its user has left meanwhile: in the same
 * presence, or in the one after a loss that took longer than the grace. Who has closed everything and comes anew means
 * it.
 */
const isSameClient = (seat: Seat, { presence, past }: JoinLesson): boolean =>
  seat.presence === presence || (past?.since === seat.presence && past.reason === 'grace-over')

const isParticipant = (role: Party['role']): role is 'student' | 'teacher' | 'admin' =>
  role === 'student' || role === 'teacher' || role === 'admin'
