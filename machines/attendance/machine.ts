import { assign, type SnapshotFrom, setup } from 'xstate'
import type { AttendanceEvent, CheckInMode } from './events.ts'
import { type Mark, type Marks, noMarks, withMark } from './marks.ts'

interface AttendanceContext {
  readonly org: string
  readonly courseId: string
  /** Who started it. */
  readonly teacherId: string
  readonly checkIn: CheckInMode
  readonly lateAfterMinutes: number | null
  readonly secret: string
  readonly startedAt: number
  readonly dueAt: number
  /** Kept beyond the end: marks are corrected after the fact. */
  readonly marks: Marks
  /** The revision of the course's stream that says who was enrolled when it ended; null before. */
  readonly courseSeq: number | null
}

type Of<Type extends AttendanceEvent['type']> = Extract<AttendanceEvent, { type: Type }>

/**
 * active -> ended -> calledOff, or active -> calledOff. What has ended can still be corrected; what was called off
 * stays as it is.
 */
export const attendanceMachine = setup({
  types: { context: {} as AttendanceContext, events: {} as AttendanceEvent },
  actions: {
    begin: assign((_, event: Of<'AttendanceStarted'>) => {
      const { org, courseId, teacherId, checkIn, lateAfterMinutes, secret, at: startedAt, dueAt } = event
      return { org, courseId, teacherId, checkIn, lateAfterMinutes, secret, startedAt, dueAt }
    }),
    mark: assign({
      marks: ({ context }, { studentId, status, via, by, at }: Mark) =>
        withMark(context.marks, { studentId, status, via, by, at }),
    }),
    correct: assign({
      marks: ({ context }, { studentId, status, by, at }: Of<'MarkCorrected'>) =>
        withMark(context.marks, { studentId, status, via: 'teacher', by, at }),
    }),
    end: assign((_, { courseSeq }: Of<'AttendanceEnded'>) => ({ courseSeq })),
  },
}).createMachine({
  id: 'attendance',
  context: {
    org: '',
    courseId: '',
    teacherId: '',
    checkIn: 'code',
    lateAfterMinutes: null,
    secret: '',
    startedAt: 0,
    dueAt: 0,
    marks: noMarks,
    courseSeq: null,
  },
  initial: 'new',
  states: {
    new: {
      on: { AttendanceStarted: { target: 'active', actions: { type: 'begin', params: ({ event }) => event } } },
    },
    active: {
      on: {
        StudentMarked: { actions: { type: 'mark', params: ({ event }) => event } },
        MarkCorrected: { actions: { type: 'correct', params: ({ event }) => event } },
        AttendanceEnded: { target: 'ended', actions: { type: 'end', params: ({ event }) => event } },
        AttendanceCalledOff: { target: 'calledOff' },
      },
    },
    ended: {
      on: {
        MarkCorrected: { actions: { type: 'correct', params: ({ event }) => event } },
        AttendanceCalledOff: { target: 'calledOff' },
      },
    },
    calledOff: {},
  },
})

export type AttendanceState = SnapshotFrom<typeof attendanceMachine>
