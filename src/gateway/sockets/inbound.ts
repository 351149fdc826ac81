import type { Party } from '../../../machines/kernel.ts'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { AttendanceCalls } from '../../contracts/attendance/calls.ts'
import {
  type AttendanceRowOf,
  attendanceInbound,
  attendanceSentences,
  courseNamedIn,
} from '../../contracts/attendance/inbound.ts'
import type { LessonCalls } from '../../contracts/lessons/calls.ts'
import { type LessonRowOf, lessonInbound, lessonSentences } from '../../contracts/lessons/inbound.ts'
import { barred, type ClientKind } from '../../contracts/presence/inbound.ts'
import { displayNameOf } from '../../contracts/shared/people.ts'
import { type Caller, inbound, type Row, sentence } from '../../contracts/support-chat/inbound.ts'
import type { Replays } from '../../contracts/support-chat/replays.ts'
import type { RoomAnswer, VisitorChats } from '../../contracts/support-chat/visitor-chats.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import { LogUnavailable } from '../../log/log.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Limit } from '../auth/limits.ts'
import type { Lane } from './lane.ts'

/** What the gateway remembers of one connection. */
export interface Session {
  readonly caller: Caller
  readonly way: ClientKind
  readonly address: string
  /** 2 = acks carry a third value. */
  readonly protocol: 1 | 2
}

export interface InboundOptions {
  readonly entities: Entities
  readonly visitorChats: VisitorChats
  readonly profiles: () => ProfileCache
  readonly perPerson: Limit
  readonly perAddress: Limit
  readonly now: () => number
  readonly replays: Replays
  readonly lessonCalls: LessonCalls
  readonly attendanceCalls: AttendanceCalls
  readonly observe: {
    command(name: string, party: Party, outcome: string, milliseconds: number): void
    unknownEvent(name: string): void
    failed(error: unknown, name: string): void
  }
}

type AnyRow = Row | LessonRowOf | AttendanceRowOf
type AnyAsked = Exclude<ReturnType<AnyRow>, Refusal>
type Ack = (result: boolean, error: string | null, place?: object) => void

/**
 * The one guarded way in for everything that a socket emits: known name, limits, shape, then the room. Never throws,
 * never rejects.
 */
export function openInbound(options: InboundOptions) {
  const {
    entities,
    visitorChats,
    profiles,
    perPerson,
    perAddress,
    now,
    replays,
    lessonCalls,
    attendanceCalls,
    observe,
  } = options
  let draining = false
  let underWay = 0
  let idle: (() => void) | undefined

  const answered = async (call: Called, work: () => Promise<RoomAnswer>): Promise<void> => {
    const { name, args, session, socket, ack, started } = call
    const { party } = session.caller
    let outcome: RoomAnswer
    try {
      outcome = await work()
    } catch (error) {
      const unavailable = error instanceof LogUnavailable
      if (!unavailable) observe.failed(error, name)
      outcome = { room: null, answer: refuse(unavailable ? 'unavailable' : 'internal') }
    }
    const watching = name in attendanceInbound
    const { answer } = outcome
    const room = outcome.room ?? (watching ? courseNamedIn(args) : null)
    observe.command(name, party, answer instanceof Refusal ? answer.code : 'done', performance.now() - started)
    if (!ack && !watching) return
    const where = name in lessonInbound ? { lesson_id: room } : watching ? { course_id: room } : { room }
    const place =
      answer instanceof Refusal
        ? { ...where, code: answer.code }
        : {
            ...where,
            id: answer.id,
            seq: answer.seq < 0 ? null : answer.seq,
            pos: answer.position === null ? null : String(answer.position),
          }
    const error = answer instanceof Refusal ? await worded(answer, party) : null
    if (watching && answer instanceof Refusal) {
      attendanceCalls.refused(socket, {
        message: error ?? '',
        code: answer.code,
        ...(room === null ? {} : { course_id: room }),
      })
    }
    if (!ack) return
    if (session.protocol === 2) ack(error === null, error, place)
    else ack(error === null, error)
  }

  /** What can be said without asking anybody, and in whatever order. */
  const decoded = (name: string, row: AnyRow, args: readonly unknown[], { caller, address, way }: Session) => {
    if (draining) return refuse('draining')
    const at = now()
    const mayPerson = perPerson.take(`${caller.party.org}.${caller.party.id}`, at)
    const may = mayPerson === true ? perAddress.take(address, at) : mayPerson
    if (may !== true) return refuse('rate-limited', { seconds: String(Math.ceil(may / 1000)) })
    return barred(way, name) ?? row(args, caller, at)
  }

  const run = async (asked: AnyAsked, session: Session, socket: string, entered: () => void): Promise<RoomAnswer> => {
    const { party } = session.caller
    switch (asked.kind) {
      case 'chat':
        return {
          room: asked.room,
          answer: await entities.ask('chat', asked.room, asked.command, callOf(asked, entered)),
        }
      case 'own-chat':
        return visitorChats.askLatest(asked.command, callOf(asked, entered))
      case 'new-chat':
        return visitorChats.open(asked.command, callOf(asked, entered))
      case 'replay':
        return { room: asked.room, answer: await replays.start(party, socket, asked.room, asked.speed) }
      case 'stop-replay':
        return { room: asked.room, answer: replays.stop(socket, asked.room) }
      case 'join-lesson':
      case 'leave-lesson':
        return lessonCalls.ask(asked, session, socket, entered)
      case 'watch-course':
      case 'unwatch-course':
      case 'check-course':
        return attendanceCalls.ask(asked, party, socket, entered)
    }
  }

  const worded = async (refusal: Refusal, { org }: Party): Promise<string> => {
    const sentenceOfCode = lessonSentences[refusal.code] ?? attendanceSentences[refusal.code]
    if (sentenceOfCode !== undefined) return `${refusal.code}: ${sentenceOfCode}`
    const { staffId } = refusal.details
    const person =
      staffId === undefined
        ? undefined
        : await profiles()
            .load(org, staffId)
            .catch(() => undefined)
    return sentence(refusal, (id) => displayNameOf(id, person?.profile ?? {}))
  }

  return {
    /** `args` as Socket.IO gave them, the ack last if there is one. */
    hear(name: unknown, args: unknown[], session: Session, socket: string, lane: Lane): void {
      const row =
        typeof name === 'string' ? (inbound[name] ?? lessonInbound[name] ?? attendanceInbound[name]) : undefined
      if (!row) {
        observe.unknownEvent(String(name))
        return
      }
      underWay++
      const ack = typeof args.at(-1) === 'function' ? (args.pop() as Ack) : undefined
      const call = { name: String(name), args, session, socket, ack, started: performance.now() }
      const answer = (work: () => Promise<RoomAnswer>): Promise<void> =>
        answered(call, work)
          .catch((error: unknown) => observe.failed(error, call.name))
          .finally(() => {
            if (--underWay === 0) idle?.()
          })
      const refused = (refusal: Refusal): void => void answer(async () => ({ room: null, answer: refusal }))
      let asked: AnyAsked | Refusal
      try {
        asked = decoded(call.name, row, args, session)
      } catch (error) {
        observe.failed(error, call.name)
        asked = refuse('internal')
      }
      const its = asked
      if (its instanceof Refusal) refused(its)
      else if (!lane.add((entered) => answer(() => run(its, session, socket, entered)))) refused(refuse('overloaded'))
    },
    /** From now on commands are refused; resolves when those in hand are answered. */
    drain(): Promise<void> {
      draining = true
      return underWay === 0 ? Promise.resolve() : new Promise((resolve) => (idle = resolve))
    },
  }
}

export type Inbound = ReturnType<typeof openInbound>

interface Called {
  readonly name: string
  /** Without the ack. */
  readonly args: readonly unknown[]
  readonly session: Session
  readonly socket: string
  readonly ack: Ack | undefined
  readonly started: number
}

const callOf = (
  { clientId, payload }: { readonly clientId?: string; readonly payload: unknown },
  entered: () => void,
): Call => (clientId === undefined ? { entered } : { clientId, payload, entered })
