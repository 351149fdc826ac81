import { assign, type SnapshotFrom, setup } from 'xstate'
import { type Buckets, byId } from '../by-id.ts'
import {
  callOffAtOf,
  type LeaveReason,
  type LessonEvent,
  type ParticipantJoined,
  type ParticipantLeft,
} from './events.ts'

/**
 * A participant as deciding needs them. Those who left are kept until the end, because their coming back is a
 * reconnect.
 */
export type Seat = {
  /** Whose it is. */
  readonly id: string
  readonly home: string
  /** The presence (its beginning) in which they joined. */
  readonly presence: number
} & (
  | {
      readonly kind: 'in'
      readonly since: number
      /**
       * Losses up to then, by the times of their presence, are none of what is to be recorded here; null: nobody knows
       * of any, as in histories of before.
       */
      readonly lostAt: number | null
    }
  /** `asked`: they meant to leave, and only joining brings them back. */
  | { readonly kind: 'out'; readonly leftAt: number; readonly reason: LeaveReason; readonly asked: boolean }
)

export type Seats = Buckets<Seat>

interface LessonContext {
  readonly org: string
  readonly teacherId: string
  readonly code: string
  readonly title: string
  readonly startsAt: number
  readonly plannedMinutes: number
  readonly startedAt: number | null
  /** When it is ended at the latest, or called off while it is scheduled; null once it has ended. */
  readonly dueAt: number | null
  /** By participant; empty once it has ended. */
  readonly seats: Seats
  /** TeacherHubs that have looked on; empty once it has ended. */
  readonly hubs: readonly string[]
}

const byParticipant = byId<Seat>(({ id }) => id)

export const seatOf: (seats: Seats, id: string) => Seat | undefined = byParticipant.get

type Returned = { participantId: string; at: number; awayMs: number; lostAt?: number }
type Plan = { title: string; startsAt: number; plannedMinutes: number; callOffAt: number }

/**
 * scheduled -> live -> ended. Those who come early wait in a lesson that is scheduled; a scheduled lesson that is ended
 * was called off.
 */
export const lessonMachine = setup({
  types: { context: {} as LessonContext, events: {} as LessonEvent },
  actions: {
    own: assign((_, { org, teacherId, code }: { org: string; teacherId: string; code: string }) => ({
      org,
      teacherId,
      code,
    })),
    plan: assign((_, { title, startsAt, plannedMinutes, callOffAt: dueAt }: Plan) => ({
      title,
      startsAt,
      plannedMinutes,
      dueAt,
    })),
    begin: assign((_, { at, dueAt }: { at: number; dueAt: number }) => ({ startedAt: at, dueAt })),
    seat: assign({
      seats: ({ context: { seats } }, { participantId: id, home, presence, at, backUntil }: ParticipantJoined) =>
        byParticipant.with(seats, { kind: 'in', id, home, presence, since: at, lostAt: backUntil ?? null }),
    }),
    markReturn: assign({
      seats: ({ context: { seats } }, { participantId, at, awayMs, lostAt = at - awayMs }: Returned): Seats => {
        const seat = seatOf(seats, participantId)
        return seat?.kind === 'in' ? byParticipant.with(seats, { ...seat, lostAt }) : seats
      },
    }),
    unseat: assign({
      seats: ({ context: { seats } }, event: ParticipantLeft): Seats => {
        const seat = seatOf(seats, event.participantId)
        if (!seat) return seats
        const { id, home, presence } = seat
        const { reason, at: leftAt, asked = false } = event
        return byParticipant.with(seats, { kind: 'out', id, home, presence, leftAt, reason, asked })
      },
    }),
    welcomeHub: assign({ hubs: ({ context }, { hubId }: { hubId: string }) => [...context.hubs, hubId] }),
    /** It changes nothing; but a transition without an action is none, and every recorded event must be one. */
    notice: assign({}),
    clear: assign({ seats: byParticipant.none, hubs: [], dueAt: null }),
  },
}).createMachine({
  id: 'lesson',
  context: {
    org: '',
    teacherId: '',
    code: '',
    title: '',
    startsAt: 0,
    plannedMinutes: 0,
    startedAt: null,
    dueAt: null,
    seats: byParticipant.none,
    hubs: [],
  },
  initial: 'new',
  states: {
    new: {
      on: {
        LessonScheduled: {
          target: 'scheduled',
          actions: [
            { type: 'own', params: ({ event }) => event },
            { type: 'plan', params: ({ event }) => ({ ...event, callOffAt: callOffAtOf(event) }) },
          ],
        },
      },
    },
    scheduled: {
      on: {
        LessonPlanChanged: { actions: { type: 'plan', params: ({ event }) => event } },
        LessonStarted: { target: 'live', actions: { type: 'begin', params: ({ event }) => event } },
        LessonEnded: { target: 'ended', actions: 'clear' },
        ParticipantJoined: { actions: { type: 'seat', params: ({ event }) => event } },
        ParticipantLeft: { actions: { type: 'unseat', params: ({ event }) => event } },
        HubJoined: { actions: { type: 'welcomeHub', params: ({ event }) => event } },
      },
    },
    live: {
      on: {
        LessonEnded: { target: 'ended', actions: 'clear' },
        ParticipantJoined: { actions: { type: 'seat', params: ({ event }) => event } },
        ParticipantReconnected: { actions: { type: 'markReturn', params: ({ event }) => event } },
        ParticipantLeft: { actions: { type: 'unseat', params: ({ event }) => event } },
        HubJoined: { actions: { type: 'welcomeHub', params: ({ event }) => event } },
        HubReconnected: { actions: 'notice' },
      },
    },
    ended: {},
  },
})

export type LessonState = SnapshotFrom<typeof lessonMachine>

/** It has ended, or should have: that is only not recorded yet. */
export const isOver = (state: LessonState, at: number): boolean =>
  state.matches('ended') || (state.context.dueAt !== null && at >= state.context.dueAt)
