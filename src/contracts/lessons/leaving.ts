import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { LessonCommand } from '../../../machines/lesson/commands.ts'
import { personName } from '../../../machines/stream.ts'
import type { Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Call } from '../../runtime/answer.ts'
import type { LessonsModel } from './lessons-model.ts'

export interface LeavingParts extends Pick<Node, 'entities' | 'clock'> {
  readonly lessons: LessonsModel
  readonly admission: AdmissionQueue
  /** Resolves when the outcome of all calls about lessons is known here that this person has under way. */
  readonly settled: (person: string) => Promise<void>
}

export type Leave = (lessonId: string | undefined, by: Party, call: Call) => Promise<Outcome>

const MAX_REMEMBERED_CALLS = 10_000

/** Leaves a lesson; without an id the one that they are in, or are just joining. */
export function leaving({ entities, clock, lessons, admission, settled }: LeavingParts): Leave {
  /** Which lesson a call meant that did not name it: the model lets go of those that have ended. */
  const left = new Map<string, string>()

  /** A call that is repeated means the lesson that it meant before, which its caller is not in any more. */
  const leftBefore = async (command: LessonCommand, call: Call): Promise<string | undefined> => {
    if (call.clientId === undefined) return undefined
    const ended = left.get(nameOfCall(command.by, call))
    if (ended !== undefined) return ended
    for (const lesson of lessons.leftBy(command.by.org, command.by.id))
      if (await entities.remembered('lesson', lesson, command, call)) return lesson
    return undefined
  }

  return async (lessonId, by, call) => {
    // A lesson that they are just joining or leaving does not stand in the model as it will in a moment.
    if (lessonId === undefined) await settled(personName(by))
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
    const [only, other] = lessons.lessonsOf(by.org, by.id)
    const lesson = lessonId ?? (await leftBefore(command, call)) ?? only
    if (lessonId === undefined && lesson === only && other !== undefined)
      return { about: null, answer: refuse('lesson-id-required') }
    if (lesson === undefined) return { about: null, answer: refuse('not-in-lesson') }
    const answer = await admission.ask('lesson', lesson, command, call)
    if (call.clientId !== undefined && !(answer instanceof Refusal)) {
      left.set(nameOfCall(by, call), lesson)
      keepNewest(left, MAX_REMEMBERED_CALLS)
    }
    return { about: lesson, answer }
  }
}

const nameOfCall = (by: Party, { clientId = '' }: Call): string => `${personName(by)} ${clientId}`
