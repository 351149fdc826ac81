import type { Server, Socket } from 'socket.io'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { LessonCommand } from '../../../machines/lesson/commands.ts'
import { isAnonymous } from '../../../machines/presence/anonymous.ts'
import { isPresent } from '../../../projections/lesson-participants.ts'
import type { Clock } from '../../clock.ts'
import type { Follower } from '../../delivery/follower.ts'
import { tokenBuckets } from '../../gateway/auth/limits.ts'
import { peerOf } from '../../gateway/sockets/connections.ts'
import type { Session } from '../../gateway/sockets/inbound.ts'
import type { Lane } from '../../gateway/sockets/lane.ts'
import { doorRoom } from '../../gateway/sockets/outlet.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Hubs } from '../../presence/hubs.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { displayNameOf } from '../shared/people.ts'
import type { RoomAnswer } from '../support-chat/visitor-chats.ts'
import { callsUnderWay } from './calls-under-way.ts'
import type { LessonCodes } from './codes.ts'
import type { LessonDelivery } from './delivery.ts'
import { isLessonId, type LessonAsked, type LessonName, lessonSentences } from './inbound.ts'

export interface LessonCallsOptions {
  readonly io: Server
  readonly entities: Entities
  readonly lessons: LessonDelivery
  readonly follower: Pick<Follower, 'profiles' | 'position' | 'until'>
  readonly codes: LessonCodes
  readonly hubs: Hubs
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

/** What sockets do in lessons. */
export interface LessonCalls {
  /**
   * `join_lesson` and `leave_lesson`. The `room` of the answer is the lesson. `entered` is called when the command
   * stands in the lesson's mailbox or in the queue in front of it.
   */
  ask(asked: LessonAsked, session: Session, socket: string, entered: () => void): Promise<RoomAnswer>
  /**
   * A new connection: it hears of the lessons that its owner is in, and goes on with (or joins) the one that its
   * handshake names, as the first call of its lane; a hub looks on at that one. Tells whether its owner was in a lesson
   * before.
   */
  arrive(socket: Socket, session: Session, lane: Lane): { readonly inLesson: boolean }
}

/**
 * Pushes keep each participant's order and a pace: whoever came and went faster than they are told would fill the
 * queue.
 */
const JOINS = { perSecond: 2, burst: 20 }

/** A joiner's pushes come by the log; whoever waits for the answer waits this long for them to be out first. */
const PUSH_WAIT_MS = 5_000
const MAX_REMEMBERED_CALLS = 10_000

export function lessonCalls(options: LessonCallsOptions): LessonCalls {
  const { io, entities, lessons, follower, codes, hubs, clock, onError } = options

  const joins = tokenBuckets(JOINS)
  const admission = admissionQueue(entities)
  const underWay = callsUnderWay()
  /** Which lesson a `leave_lesson` meant that did not name it: the desk lets go of those that have ended. */
  const left = new Map<string, string>()

  const join = async (name: LessonName, session: Session, socket: string, how: Joining): Promise<RoomAnswer> => {
    const { party: by } = session.caller
    const at = clock.now()
    const may = joins.take(`${by.org}.${by.id}`, at)
    if (may !== true) return { room: null, answer: refuse('rate-limited', { seconds: String(Math.ceil(may / 1000)) }) }
    const from = { socket, address: session.address }
    const lesson = name.kind === 'id' ? name.id : await codes.find(name.code, from)
    if (lesson instanceof Refusal) return { room: null, answer: lesson }
    const { since: presence, past } = (await entities.state('presence', `${by.org}.${by.id}`)).state.context
    if (presence === null) return { room: null, answer: refuse('not-present') }
    const invited = name.kind === 'code'
    const guest = isAnonymous(by)
    const command = {
      type: 'JoinLesson',
      name: nameOf(by) ?? how.name,
      invited,
      guest,
      resume: how.resume,
      presence,
      past,
      by,
      at,
    } as const
    const answer = await admission.ask('lesson', lesson, command, how.call)
    if (invited && answer instanceof Refusal && (answer.code === 'no-such-lesson' || answer.code === 'lesson-ended')) {
      // The code of a lesson that has ended is nobody's guess: a class that kept it must not lock out the school behind
      // its address.
      if (answer.code !== 'lesson-ended') await codes.wrong(from)
      return { room: null, answer: refuse('no-such-code') }
    }
    if (!(answer instanceof Refusal) && !how.told) await shown(lesson, answer.position, socket, by)
    return { room: lesson, answer }
  }

  /** As whoever is online is known to this node; null when nobody has said how they are called. */
  const nameOf = ({ org, id }: Party): string | null =>
    displayNameOf('', follower.profiles.get(org, id)?.profile ?? {}) || null

  const heard = async (position: bigint): Promise<void> => {
    if (follower.position() >= position) return
    await follower.until(() => follower.position() >= position, AbortSignal.timeout(PUSH_WAIT_MS))
  }

  /** Whoever has just come in is told the lesson's state by the log; who was in is told it here. */
  const shown = async (lesson: string, position: bigint | null, socket: string, { org, id }: Party): Promise<void> => {
    if (position !== null) return heard(position)
    if (!lessons.desk.lessonsOf(org, id).includes(lesson)) return // a repeat of somebody who has left since
    io.in(socket).socketsJoin(doorRoom(lesson))
    lessons.knock(lesson)
  }

  /** A call that is repeated means the lesson that it meant before, which its caller is not in any more. */
  const leftBefore = async (command: LessonCommand, call: Call): Promise<string | undefined> => {
    if (call.clientId === undefined) return undefined
    const ended = left.get(nameOfCall(command.by, call))
    if (ended !== undefined) return ended
    for (const record of lessons.desk.all()) {
      const person = record.people.get(command.by.id)
      if (!person || person.home !== command.by.org || isPresent(person)) continue
      if (await entities.remembered('lesson', record.id, command, call)) return record.id
    }
    return undefined
  }

  const leave = async (
    lessonId: string | undefined,
    { party: by }: Session['caller'],
    call: Call,
  ): Promise<RoomAnswer> => {
    // A lesson that they are just joining or leaving does not stand on the desk as it will in a moment.
    if (lessonId === undefined) await underWay.settled(`${by.org}.${by.id}`)
    const at = clock.now()
    const command = {
      type: 'LeaveLesson',
      participantId: by.id,
      presence: null,
      reason: 'left',
      leftAt: at,
      by,
      at,
    } as const
    const [only, other] = lessons.desk.lessonsOf(by.org, by.id)
    const lesson = lessonId ?? (await leftBefore(command, call)) ?? only
    if (lessonId === undefined && lesson === only && other !== undefined)
      return { room: null, answer: refuse('lesson-id-required') }
    if (lesson === undefined) return { room: null, answer: refuse('not-in-lesson') }
    const answer = await admission.ask('lesson', lesson, command, call)
    if (call.clientId !== undefined && !(answer instanceof Refusal)) note(nameOfCall(by, call), lesson)
    return { room: lesson, answer }
  }

  const note = (name: string, lesson: string): void => {
    left.set(name, lesson)
    keepNewest(left, MAX_REMEMBERED_CALLS)
  }

  /** A hub takes no part: it is recorded that it looks on, and when it is there again. */
  const lookOn = async (lesson: string, { party: by }: Session['caller'], socket: Socket): Promise<Answer> => {
    const at = clock.now()
    const watch = { org: by.org, hub: by.id, lesson, socket: socket.id, peer: peerOf(socket.conn) }
    socket.once(
      'disconnect',
      () => void hubs.unwatch(watch).catch((error: unknown) => onError(error, 'a hub that left')),
    )
    const { elsewhere, lastSeen } = await hubs.watch(watch)
    const awayMs = lastSeen === null ? null : Math.max(0, at - lastSeen)
    return entities.ask('lesson', lesson, { type: 'LookOn', elsewhere, awayMs, by, at })
  }

  /** `told`: they stand at the lesson's door already. */
  const resume = async (
    lesson: unknown,
    socket: Socket,
    session: Session,
    told: boolean,
    call: Call,
  ): Promise<Answer> => {
    if (!isLessonId(lesson)) return refuse('no-such-lesson')
    if (session.way === 'hub') return lookOn(lesson, session.caller, socket)
    const how = { name: null, resume: true, told, call }
    return (await noted(session, join({ kind: 'id', id: lesson }, session, socket.id, how))).answer
  }

  /** Until this node has heard of what came of it, it is under way. */
  const noted = ({ caller }: Session, answering: Promise<RoomAnswer>): Promise<RoomAnswer> => {
    const outcome = answering.then(({ answer }) =>
      answer instanceof Refusal || answer.position === null ? undefined : heard(answer.position),
    )
    underWay.add(`${caller.party.org}.${caller.party.id}`, outcome)
    return answering
  }

  return {
    ask(asked, session, socket, entered) {
      const { clientId } = asked
      const called = (payload: unknown): Call => (clientId === undefined ? { entered } : { clientId, payload, entered })
      // Which lesson is meant says the room that is asked, whether it was named or not.
      if (asked.kind === 'leave-lesson')
        return noted(session, leave(asked.lessonId, session.caller, called(asked.kind)))
      const how = { name: asked.name, resume: false, told: false, call: called(asked) }
      return noted(session, join(asked.lesson, session, socket, how))
    },
    arrive(socket, session, lane) {
      const { lesson_id: named } = socket.handshake.query
      const { org, id } = session.caller.party
      const mine = session.way === 'hub' ? [] : lessons.desk.lessonsOf(org, id)
      for (const lesson of mine) {
        void socket.join(doorRoom(lesson)) // the in-memory adapter joins at once
        lessons.knock(lesson)
      }
      if (named === undefined || named === '') return { inLesson: mine.length > 0 }
      lane.add((entered) =>
        resume(named, socket, session, mine.includes(String(named)), { entered }).then(
          (answer) => {
            if (!(answer instanceof Refusal)) return
            const message = `lesson_id: ${lessonSentences[answer.code] ?? answer.code}`
            socket.emit('error', { message, code: answer.code, event: 'connect' })
          },
          (error: unknown) => onError(error, 'a handshake with lesson_id'),
        ),
      )
      return { inLesson: mine.length > 0 }
    },
  }
}

const nameOfCall = ({ org, id }: Party, { clientId = '' }: Call): string => `${org}.${id} ${clientId}`

interface Joining {
  /** How they call themselves, if their token does not say. */
  readonly name: string | null
  readonly resume: boolean
  /** They stand at the lesson's door already. */
  readonly told: boolean
  readonly call: Call
}
