import { type Decision, type Party, type Refusal, refuse, unreachable } from '../kernel.ts'
import type { LessonCommand, LostParticipant } from './commands.ts'
import type { LessonEvent } from './events.ts'
import { join } from './joining.ts'
import { isOver, type LessonState, seatOf } from './machine.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/**
 * What a command makes true in a lesson, or why it makes nothing true. Asking for what is so already is answered yes.
 */
export function decide(state: LessonState, command: LessonCommand): Decision<LessonEvent> {
  const { by, at } = command
  const { org, plannedMinutes, dueAt } = state.context

  if (command.type === 'ScheduleLesson') {
    if (by.role !== 'teacher') return refuse('teachers-only')
    if (!state.matches('new')) return refuse('lesson-exists')
    const { title, startsAt, plannedMinutes: minutes, code } = command
    const plan = { title, startsAt, plannedMinutes: minutes, code, callOffAt: callOffAt(startsAt, command) }
    return [{ type: 'LessonScheduled', org: by.org, teacherId: by.id, ...plan }]
  }
  if (state.matches('new')) return refuse('no-such-lesson')

  switch (command.type) {
    case 'StartLesson': {
      const no = notInCharge(state, by)
      if (no) return no
      if (state.matches('live')) return []
      if (isOver(state, at)) return refuse('lesson-ended')
      return [{ type: 'LessonStarted', at, dueAt: at + (plannedMinutes + command.overrunMinutes) * MINUTE_MS }]
    }
    case 'ChangeLessonPlan': {
      const no = notInCharge(state, by)
      if (no) return no
      if (state.matches('live')) return refuse('lesson-started')
      if (isOver(state, at)) return refuse('lesson-ended')
      const now = state.context
      const { title = now.title, startsAt = now.startsAt, plannedMinutes: minutes = plannedMinutes } = command
      if (title === now.title && startsAt === now.startsAt && minutes === plannedMinutes) return []
      const due = startsAt === now.startsAt ? (dueAt ?? at) : callOffAt(startsAt, command)
      return [{ type: 'LessonPlanChanged', title, startsAt, plannedMinutes: minutes, callOffAt: due }]
    }
    case 'EndLesson': {
      const no = notInCharge(state, by)
      if (no) return no
      if (state.matches('ended')) return []
      // After its due time it has ended then: only nobody has come to recording it yet.
      return end(state, command.lost, forgotten(state, at) ?? { reason: 'ended', by: by.id, at })
    }
    case 'EndOverdueLesson': {
      const ending = forgotten(state, at)
      return ending ? end(state, command.lost, ending) : []
    }

    case 'JoinLesson':
      return join(state, command)

    case 'LeaveLesson': {
      const seat = seatOf(state.context.seats, command.participantId)
      const self = seat !== undefined && by.id === command.participantId && by.org === seat.home
      if (by.role !== 'system' && !self && by.org !== org) return refuse('no-such-lesson')
      if (seat?.kind !== 'in' || (!self && by.role !== 'system')) return []
      // they are back, in another presence
      if (command.presence !== null && command.presence !== seat.presence) return []
      const { participantId, reason, leftAt } = command
      if (dueAt !== null && leftAt >= dueAt) return [] // they were in until the end, which is only not recorded yet
      const asked = by.role === 'system' ? {} : { asked: true as const }
      return [{ type: 'ParticipantLeft', participantId, reason, at: Math.max(leftAt, seat.since), ...asked }]
    }
    case 'ResumeLesson': {
      const { participantId, role, lostAt } = command
      const seat = seatOf(state.context.seats, participantId)
      const { startedAt } = state.context
      if (startedAt === null || !state.matches('live') || seat?.kind !== 'in' || seat.presence !== command.presence)
        return []
      // Every node reports the same loss; and one that was over before they joined is none of this lesson's business.
      if (lostAt <= (seat.lostAt ?? Number.NEGATIVE_INFINITY) || (seat.lostAt === null && command.backAt < seat.since))
        return []
      if (!command.isDuring && command.backAt < startedAt) return []
      const backAt = Math.max(command.backAt, lostAt)
      // Who joins and is never heard of again was last seen just before the joining was recorded. When they joined was
      // recorded by the lesson's clock, which may be another one.
      const awayMs = backAt - (seat.since <= backAt ? Math.max(lostAt, seat.since) : lostAt)
      return [{ type: 'ParticipantReconnected', participantId, role, awayMs, at: Math.max(backAt, seat.since), lostAt }]
    }
    case 'LookOn': {
      if (by.org !== org) return refuse('no-such-lesson')
      if (by.role !== 'teacher' && by.role !== 'admin') return refuse('teachers-only')
      if (isOver(state, at)) return refuse('lesson-ended')
      const who = { hubId: by.id, role: by.role }
      if (!state.context.hubs.includes(by.id)) return [{ type: 'HubJoined', ...who, at }]
      if (command.elsewhere || !state.matches('live')) return []
      return [{ type: 'HubReconnected', ...who, awayMs: command.awayMs, at }]
    }
    default:
      return unreachable(command)
  }
}

/** A lesson that is planned for the past was planned just now, and waits as long as any other. */
const callOffAt = (startsAt: number, { at, callOffHours }: { at: number; callOffHours: number }): number =>
  Math.max(startsAt, at) + callOffHours * HOUR_MS

/** How it ended at its due time, when that is over and nobody has come to recording it yet. */
function forgotten(state: LessonState, at: number): Ending | undefined {
  const { dueAt } = state.context
  if (dueAt === null || at < dueAt) return undefined
  return { reason: state.matches('scheduled') ? 'not-started' : 'overrun', by: null, at: dueAt }
}

/** Organisations are walls: somebody else's lesson is answered exactly like one that does not exist. */
function notInCharge({ context }: LessonState, by: Party): Refusal | null {
  if (by.org !== context.org) return refuse('no-such-lesson')
  if (by.role === 'admin' || (by.role === 'teacher' && by.id === context.teacherId)) return null
  return by.role === 'teacher' ? refuse('own-lesson-only') : refuse('teachers-only')
}

type Ending = Pick<LessonEvent & { readonly type: 'LessonEnded' }, 'reason' | 'by' | 'at'>

/** Everybody who is in leaves by the end itself; those who were lost before it left then. */
function end({ context }: LessonState, lost: readonly LostParticipant[], ending: Ending): readonly LessonEvent[] {
  const events: LessonEvent[] = []
  for (const { participantId, lostAt } of lost) {
    const seat = seatOf(context.seats, participantId)
    const at = seat?.kind === 'in' ? Math.max(lostAt, seat.since) : lostAt
    if (seat?.kind !== 'in' || lostAt <= (seat.lostAt ?? seat.since - 1) || at >= ending.at) continue
    events.push({ type: 'ParticipantLeft', participantId, reason: 'disconnected', at })
  }
  return [...events, { type: 'LessonEnded', ...ending }]
}
