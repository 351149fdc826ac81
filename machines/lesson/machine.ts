import { assign, type SnapshotFrom, setup } from 'xstate'
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
  readonly home: string
  /** The presence (its beginning) in which they joined. */
  readonly presence: number
} & (
  | {
      readonly kind: 'in'
      readonly since: number
      /** The latest loss that they are recorded to be back from. */
      readonly lostAt: number | null
    }
  /** `asked`: they meant to leave, and only joining brings them back. */
  | { readonly kind: 'out'; readonly leftAt: number; readonly reason: LeaveReason; readonly asked: boolean }
)

export type Seats = Readonly<Record<string, Seat>>

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

/** Ids come from outside, and one of them may be `constructor`. */
export const seatOf = (seats: Seats, id: string): Seat | undefined => (Object.hasOwn(seats, id) ? seats[id] : undefined)

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
      seats: ({ context }, { participantId, home, presence, at }: ParticipantJoined): Seats => ({
        ...context.seats,
        [participantId]: { kind: 'in', home, presence, since: at, lostAt: null },
      }),
    }),
    markReturn: assign({
      seats: (
        { context: { seats } },
        { participantId, at, awayMs }: { participantId: string; at: number; awayMs: number },
      ): Seats => {
        const seat = seatOf(seats, participantId)
        return seat?.kind === 'in' ? { ...seats, [participantId]: { ...seat, lostAt: at - awayMs } } : seats
      },
    }),
    unseat: assign({
      seats: ({ context: { seats } }, event: ParticipantLeft): Seats => {
        const seat = seatOf(seats, event.participantId)
        if (!seat) return seats
        const { home, presence } = seat
        const { reason, at: leftAt, asked = false } = event
        return { ...seats, [event.participantId]: { kind: 'out', home, presence, leftAt, reason, asked } }
      },
    }),
    welcomeHub: assign({ hubs: ({ context }, { hubId }: { hubId: string }) => [...context.hubs, hubId] }),
    /** It changes nothing; but a transition without an action is none, and every recorded event must be one. */
    notice: assign({}),
    clear: assign({ seats: {}, hubs: [], dueAt: null }),
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
    seats: {},
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
