import { Refusal, refuse } from '../../../machines/kernel.ts'
import { displayNameOf } from '../../../machines/person/profile.ts'
import { isAnonymous } from '../../../machines/presence/anonymous.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection, Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import { tokenBuckets } from '../../gateway/auth/limits.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Call, Done } from '../../runtime/answer.ts'
import { waitingRoom } from './audiences.ts'
import type { LessonCodes } from './codes.ts'
import type { LessonName } from './inbound.ts'
import type { LessonsModel } from './lessons-model.ts'

export interface JoiningParts extends Pick<Node, 'entities' | 'profiles' | 'clock'> {
  readonly lessons: LessonsModel
  readonly admission: AdmissionQueue
  readonly codes: LessonCodes
  /** Somebody has entered the lesson's waiting room. */
  readonly onWaiting: (lesson: string) => void
  /** Resolves when the notices of what the command recorded are out here, or after a while. */
  readonly told: (answer: Done) => Promise<void>
}

export interface Joining {
  /** How they call themselves, if their token does not say. */
  readonly name: string | null
  readonly resume: boolean
  /** They are in the lesson's waiting room already. */
  readonly waiting: boolean
  readonly call: Call
}

export type Join = (name: LessonName, from: Connection, how: Joining) => Promise<Outcome>

/**
 * Pushes keep each participant's order and a pace: whoever came and went faster than they are told would fill the
 * queue.
 */
const JOINS = { perSecond: 2, burst: 20 }

/** Joins a lesson by id or code: `Joining.call.entered` is called when the command stands before the lesson. */
export function joining({ entities, profiles, clock, lessons, admission, codes, onWaiting, told }: JoiningParts): Join {
  const joins = tokenBuckets(JOINS)

  /** As whoever is online is known to this node; null when nobody has said how they are called. */
  const nameOf = ({ party }: Connection): string | null => displayNameOf('', profiles.get(party)?.profile ?? {}) || null

  /** Whoever has just come in is told the lesson's state by its feed; who was in is told it here. */
  const shown = async (lesson: string, answer: Done, from: Connection): Promise<void> => {
    if (answer.position !== null) return told(answer)
    if (!lessons.lessonsOf(from.party.org, from.party.id).includes(lesson)) return // a repeat, and they have left since
    from.join(waitingRoom(lesson))
    onWaiting(lesson)
  }

  return async (name, from, how) => {
    const { party: by } = from
    const at = clock.now()
    const may = joins.take(personName(by))
    if (may !== true) return { about: null, answer: refuse('rate-limited', { seconds: String(Math.ceil(may / 1000)) }) }
    const guesser = { person: personName(by), address: from.address }
    const lesson = name.kind === 'id' ? name.id : await codes.find(name.code, guesser)
    if (lesson instanceof Refusal) return { about: null, answer: lesson }
    const { since: presence, backAt, past } = (await entities.state('presence', personName(by))).state.context
    if (presence === null) return { about: null, answer: refuse('not-present') }
    const invited = name.kind === 'code'
    const command = {
      type: 'JoinLesson',
      name: nameOf(from) ?? how.name,
      invited,
      guest: isAnonymous(by),
      resume: how.resume,
      presence,
      backAt,
      past,
      by,
      at,
    } as const
    const answer = await admission.ask('lesson', lesson, command, how.call)
    if (invited && answer instanceof Refusal && (answer.code === 'no-such-lesson' || answer.code === 'lesson-ended')) {
      // The code of a lesson that has ended is nobody's guess: a class that kept it must not lock out the school behind
      // its address.
      if (answer.code !== 'lesson-ended') await codes.wrong(guesser)
      return { about: null, answer: refuse('no-such-code') }
    }
    if (!(answer instanceof Refusal) && !how.waiting) await shown(lesson, answer, from)
    return { about: lesson, answer }
  }
}
