import type { Server } from 'socket.io'
import { type Party, Refusal, refuse, unreachable } from '../../../machines/kernel.ts'
import { COURSE_STREAM } from '../../../projections/courses.ts'
import type { Follower } from '../../delivery/follower.ts'
import { type EventRef, eventRef } from '../../delivery/notice.ts'
import { keyedQueue } from '../../keyed-queue.ts'
import type { Log } from '../../log/log.ts'
import type { Done } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { notAmong } from '../courses/roster.ts'
import type { RoomAnswer } from '../support-chat/visitor-chats.ts'
import type { CourseWatchers } from './course-watchers.ts'
import type { AttendanceDelivery } from './delivery.ts'
import type { AttendanceAsked } from './inbound.ts'
import type { ActiveSessions, ActiveSessionsError } from './wire.ts'

export interface AttendanceCallsOptions {
  readonly io: Server
  readonly log: Log
  readonly entities: Pick<Entities, 'state' | 'lastPosition'>
  readonly attendance: AttendanceDelivery
  readonly watchers: CourseWatchers
  readonly follower: Pick<Follower, 'position' | 'until'>
}

/** What sockets ask about courses' attendance sessions. */
export interface AttendanceCalls {
  /**
   * The `room` of the answer is the course. Nothing is decided here that a later call could depend on, so none
   * waits: `entered` is called at once.
   */
  ask(asked: AttendanceAsked, by: Party, socket: string, entered: () => void): Promise<RoomAnswer>
  /** Contract 004 tells refusals by an event, too: not every client asks for an ack. */
  refused(socket: string, error: ActiveSessionsError): void
}

/**
 * Whoever started a session here and then looks finds it; but nobody waits longer than this for this node to hear of
 * it.
 */
const OWN_WRITE_WAIT_MS = 1_000
/** How often it is looked again whether somebody may watch who was taken out of the course at that very moment. */
const ATTEMPTS = 10

export function attendanceCalls({
  io,
  log,
  entities,
  attendance,
  watchers,
  follower,
}: AttendanceCallsOptions): AttendanceCalls {
  /** What one connection wants of one course happens in the order in which it was asked: the last word counts. */
  const turns = keyedQueue()
  const emit = (socket: string, name: string, data: object): void =>
    void io.of('/').sockets.get(socket)?.emit(name, data)

  /** What the course's own room says at the moment: views follow later. Gives its revision. */
  const admitted = async (course: string, by: Party): Promise<number | Refusal> => {
    const { revision, state } = await entities.state('course', course)
    return notAmong(revision < 0 ? null : state.context, by) ?? revision
  }

  const heardSoFar = async (): Promise<void> => {
    const upTo = entities.lastPosition()
    if (follower.position() >= upTo) return
    await follower.until(() => follower.position() >= upTo, AbortSignal.timeout(OWN_WRITE_WAIT_MS))
  }

  /** Where a course stands of whose sessions this node has heard nothing. */
  const placeBefore = async (course: string): Promise<EventRef> => {
    const known = attendance.desk.newest(course)
    if (known) return known
    for await (const [last] of log.read(COURSE_STREAM + course, { backwards: true, limit: 1 }))
      if (last) return eventRef(last)
    throw new Error(`course ${course} has a roster and no events`)
  }

  const watch = async (course: string, by: Party, socket: string): Promise<RoomAnswer> => {
    let watching = watchers.begin(course, socket, by)
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const revision = await admitted(course, by)
        if (revision instanceof Refusal) {
          watchers.end(course, socket)
          return { room: course, answer: revision }
        }
        const before = await placeBefore(course)
        await heardSoFar()
        if (watching && watching.withdrawn > revision) continue // taken out meanwhile
        // Enter, then look, without a wait in between: what happens later comes as a push, what happened before is in
        // the data.
        if (watching && !watchers.enter(watching, revision)) {
          watching = watchers.begin(course, socket, by) // taken out, and let in again, meanwhile
          continue
        }
        const data = attendance.data(course, before)
        emit(socket, 'activeSessionsData', data)
        return { room: course, answer: shown(data) }
      }
      return { room: course, answer: refuse('busy') }
    } finally {
      if (watching?.since === null) watchers.end(course, socket)
    }
  }

  const check = async (course: string, by: Party, socket: string): Promise<RoomAnswer> => {
    const revision = await admitted(course, by)
    if (revision instanceof Refusal) return { room: course, answer: revision }
    const before = await placeBefore(course)
    await heardSoFar()
    const data = attendance.data(course, before)
    emit(socket, 'activeSessionsResponse', data)
    return { room: course, answer: shown(data) }
  }

  const unwatch = async (course: string, socket: string): Promise<RoomAnswer> => {
    watchers.end(course, socket)
    return { room: course, answer: { kind: 'done', id: null, seq: -1, position: null, events: [] } }
  }

  const begin = ({ kind, courseId }: AttendanceAsked, by: Party, socket: string): Promise<RoomAnswer> => {
    const key = `${socket} ${courseId}`
    switch (kind) {
      case 'watch-course':
        return turns.run(key, () => watch(courseId, by, socket))
      case 'unwatch-course':
        return turns.run(key, () => unwatch(courseId, socket))
      case 'check-course':
        return check(courseId, by, socket)
      default:
        return unreachable(kind)
    }
  }

  return {
    ask(asked, by, socket, entered) {
      const answer = begin(asked, by, socket)
      entered()
      return answer
    },
    refused: (socket, error) => emit(socket, 'activeSessionsError', error),
  }
}

const shown = ({ id, seq, pos }: ActiveSessions): Done => ({ kind: 'done', id, seq, position: BigInt(pos), events: [] })
