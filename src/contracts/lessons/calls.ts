import { Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection, Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Refusals } from '../../delivery/refusals.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer, Done } from '../../runtime/answer.ts'
import { callOf } from '../shared/ids.ts'
import { lessonRoom, waitingRoom } from './audiences.ts'
import { callsUnderWay } from './calls-under-way.ts'
import type { LessonCodes } from './codes.ts'
import { isLessonId, type LessonAsks } from './inbound.ts'
import { joining } from './joining.ts'
import { leaving } from './leaving.ts'
import type { LessonsModel } from './lessons-model.ts'
import { lessonRefusals } from './refusals.ts'

type NodeParts = Pick<Node, 'entities' | 'follower' | 'profiles' | 'hubs' | 'clock' | 'onError'>

export interface LessonCallsOptions extends NodeParts {
  readonly lessons: LessonsModel
  /** Somebody has entered the lesson's waiting room. */
  readonly onWaiting: (lesson: string) => void
  readonly codes: LessonCodes
}

/** What connections do in lessons. */
export interface LessonCalls extends LessonAsks {
  /**
   * A new connection: it hears of the lessons that its owner is in, and goes on with (or joins) the one that its
   * handshake names, before its first frame; a hub looks on at that one. `probe` when its owner was in a lesson before.
   */
  arrive(from: Connection): 'probe' | undefined
}

/** A joiner's pushes come by the log; whoever waits for the answer waits at most this long for them to be out first. */
const PUSH_WAIT_MS = 5_000

export function lessonCalls(options: LessonCallsOptions): LessonCalls {
  const { entities, lessons, onWaiting, follower, hubs, clock, onError } = options

  const told = async ({ position }: Done): Promise<void> => {
    if (position === null || follower.position() >= position) return
    await follower.until(() => follower.position() >= position, AbortSignal.timeout(PUSH_WAIT_MS))
  }
  const underWay = callsUnderWay()
  const admission = admissionQueue(entities)
  const join = joining({ ...options, admission, told })
  const leave = leaving({ ...options, admission, settled: underWay.settled })

  /** The call is under way until this node has heard of what came of it. */
  const noted = ({ party }: Connection, answering: Promise<Outcome>): Promise<Outcome> => {
    const known = answering.then(({ answer }) => (answer instanceof Refusal ? undefined : told(answer)))
    underWay.add(personName(party), known)
    return answering
  }

  /** A hub takes no part: it is recorded that it looks on, and when it is there again. */
  const lookOn = async (lesson: string, { id: socket, party: by, peer, onClosed }: Connection): Promise<Answer> => {
    const at = clock.now()
    const watch = { org: by.org, hub: by.id, lesson, socket, peer }
    onClosed(() => void hubs.unwatch(watch).catch((error: unknown) => onError(error, 'a hub that left')))
    const { elsewhere, lastSeen } = await hubs.watch(watch)
    const awayMs = lastSeen === null ? null : Math.max(0, at - lastSeen)
    return entities.ask('lesson', lesson, { type: 'LookOn', elsewhere, awayMs, by, at })
  }

  /** `waiting`: they are in the lesson's waiting room already. */
  const resume = async (lesson: unknown, from: Connection, waiting: boolean, entered: () => void): Promise<Answer> => {
    if (!isLessonId(lesson)) return refuse('no-such-lesson')
    if (from.kind === 'hub') {
      entered() // nothing that a hub sends is decided, so nothing has to wait
      return lookOn(lesson, from)
    }
    const how = { name: null, resume: true, waiting, call: { entered } }
    return (await noted(from, join({ kind: 'id', id: lesson }, from, how))).answer
  }

  return {
    join(asked, from, entered) {
      const { lesson, name, clientId } = asked
      const call = callOf(clientId, asked, entered)
      return noted(from, join(lesson, from, { name, resume: false, waiting: false, call }))
    },
    leave({ lessonId, clientId }, from, entered) {
      // Which lesson is meant says the entity that is asked, whether it was named or not.
      return noted(from, leave(lessonId, from.party, callOf(clientId, 'leave-lesson', entered)))
    },
    arrive(from) {
      const { lesson_id: named } = from.query
      const { org, id } = from.party
      const mine = from.kind === 'hub' ? [] : lessons.lessonsOf(org, id)
      for (const lesson of mine) {
        if (from.isResumed()) {
          from.join(lessonRoom(lesson)) // they know how it stands
          continue
        }
        from.join(waitingRoom(lesson))
        onWaiting(lesson)
      }
      if (named !== undefined && named !== '') {
        from.inOrder((entered) =>
          resume(named, from, mine.includes(String(named)), entered).then(
            (answer) => {
              if (answer instanceof Refusal) from.emit('error', refusedOnArrival(answer))
            },
            (error: unknown) => onError(error, 'a handshake with lesson_id'),
          ),
        )
      }
      return mine.length > 0 ? 'probe' : undefined
    },
  }
}

function refusedOnArrival({ code }: Refusal): object {
  const table: Refusals = lessonRefusals
  return { message: `lesson_id: ${table[code]?.[1] ?? code}`, code, event: 'connect' }
}
