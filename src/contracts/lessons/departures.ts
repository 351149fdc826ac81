import { type Party, type Recorded, Refusal, type Role } from '../../../machines/kernel.ts'
import type { LessonCommand } from '../../../machines/lesson/commands.ts'
import { idIn, isOf, personIn, personName } from '../../../machines/stream.ts'
import { isPresent } from '../../../projections/lesson-participants.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { Clock } from '../../clock.ts'
import type { StoppablePolicy } from '../../delivery/contract.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { forEachLimited } from '../../keyed-queue.ts'
import { openRetries } from '../../retries.ts'
import { isDamaged } from '../../runtime/damaged-entities.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { LessonsModel } from './lessons-model.ts'
import type { EndOfPresence } from './presence-past.ts'

export interface DeparturesOptions {
  readonly lessons: LessonsModel
  readonly online: LiveModel<OnlineRow>
  readonly entities: Pick<Entities, 'ask'>
  readonly endOfPresence: (home: string, id: string, since: number) => Promise<EndOfPresence | undefined>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/**
 * Something to look into: whether this participant is still there, and whether the lesson knows that they are back from
 * `loss`.
 */
interface Case {
  readonly lesson: string
  readonly participant: string
  readonly loss?: { readonly at: number; readonly backAt: number; readonly role: Role; readonly isDuring: boolean }
  readonly causedBy?: string
}

/** A class may drop and return as one; a room's mailbox holds 256, and others want to be heard in between. */
const MAX_PARALLEL_CASES = 64
const RETRY_MS = 500

/**
 * Keeps two things true: whoever is in an open lesson is there in the presence in which they joined, and a return from
 * a loss is recorded in the live lesson in which it happened. It looks when a presence ends, when somebody is back or
 * joins, and once at the start at everybody; so it needs no position of its own, and what a crash left half done is
 * found again. Every node does it: the lesson takes each fact once.
 */
export function departures(options: DeparturesOptions): StoppablePolicy {
  const { lessons, online, entities, endOfPresence, clock, onError } = options
  const retries = openRetries(clock, RETRY_MS)
  let waiting: Case[] = []
  let working = false

  const lookInto = async ({ lesson, participant, loss, causedBy }: Case): Promise<void> => {
    const record = lessons.get(lesson)
    const person = record?.people.get(participant)
    if (!record?.row || !person || !isPresent(person)) return
    const by: Party = { id: 'lesson-attendance', org: record.row.org, role: 'system' }
    const call = causedBy === undefined ? {} : { causedBy }
    const { home, presence } = person
    const row = online.get(personName({ org: home, id: participant }))
    if (row?.since === presence) {
      if (!loss || record.row.status !== 'live') return
      const { role, at: lostAt, backAt, isDuring } = loss
      const back = { participantId: participant, role, presence, lostAt, backAt, isDuring } as const
      return told(lesson, { type: 'ResumeLesson', ...back, by, at: clock.now() }, call)
    }
    const end = await endOfPresence(home, participant, presence)
    if (!end) return
    const reason = end.reason === 'grace-over' ? 'disconnected' : 'left'
    await told(
      lesson,
      { type: 'LeaveLesson', participantId: participant, presence, reason, leftAt: end.at, by, at: clock.now() },
      call,
    )
  }

  const told = async (lesson: string, command: LessonCommand, call: { causedBy?: string }): Promise<void> => {
    const answer = await entities.ask('lesson', lesson, command, call)
    if (answer instanceof Refusal && !isDamaged(answer))
      throw new Error(`lesson ${lesson} did not take ${command.type}: ${answer.code}`)
  }

  const work = async (): Promise<void> => {
    if (working) return
    working = true
    while (waiting.length > 0) {
      const cases = waiting
      waiting = []
      await forEachLimited(MAX_PARALLEL_CASES, cases, (one) =>
        lookInto(one).catch((error: unknown) => {
          onError(error)
          retries.add(() => add(one)) // the log may be back then; if not, once more
        }),
      )
    }
    working = false
  }

  const add = (one: Case): void => {
    waiting.push(one)
    void work() // does not reject
  }

  const ofPerson = (home: string, participant: string, causedBy?: string): Case[] =>
    lessons.lessonsOf(home, participant).map((lesson) => caseOf(home, lesson, participant, causedBy))

  const caseOf = (home: string, lesson: string, participant: string, causedBy?: string): Case => {
    const row = online.get(personName({ org: home, id: participant }))
    const back = row?.loss?.backAt
    const isDuring = causedBy !== undefined && lessons.get(lesson)?.row?.status === 'live'
    const loss =
      row?.loss && back !== null && back !== undefined
        ? { loss: { at: row.loss.at, backAt: back, role: row.role, isDuring } }
        : {}
    return { lesson, participant, ...loss, ...(causedBy === undefined ? {} : { causedBy }) }
  }

  return {
    stop: retries.stop,
    categories: ['presence', 'lesson'],
    async catchUp() {
      for (const record of lessons.all())
        for (const { home, id } of record.present()) waiting.push(caseOf(home, record.id, id))
      await work()
    },
    onEvent(recorded: Recorded) {
      const { id, stream } = recorded
      if (isOf('presence', recorded)) {
        if (recorded.event.type === 'ConnectionLost') return
        const { org: home, id: person } = personIn(idIn('presence', stream) ?? '')
        for (const one of ofPerson(home, person, id)) add(one)
      } else if (isOf('lesson', recorded) && recorded.event.type === 'ParticipantJoined') {
        add({ lesson: idIn('lesson', stream) ?? '', participant: recorded.event.participantId, causedBy: id })
      }
    },
  }
}
