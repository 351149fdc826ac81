import { randomUUID } from 'node:crypto'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'

const at = Date.now() - 3_600_000
const names = (prefix: string, number: number): string[] => Array.from({ length: number }, (_, n) => `${prefix}${n}`)

/** Of the organisation `big`, by name of what ids are ids of. */
export const LARGE = {
  chat: 'long-chat',
  lesson: '11111111-1111-4111-8111-111111111111',
  course: 'large-course',
  session: 'large-session',
  video: 'large-video',
  quiz: 'large-quiz',
  project: 1,
  person: 's0',
}

type Told = Event & Readonly<Record<string, unknown>>

/** An organisation with much of everything, in the streams of a new log. */
function* streams(): Generator<readonly [stream: string, events: readonly Told[]]> {
  const of = { org: 'big', at }
  const visitor = { name: 'Vic', email: null, createdAt: at, updatedAt: null }
  const opened = (visitorId: string) => ({ type: 'ChatOpened', org: 'big', visitorId, visitor, content: { text: 'x' } })
  const wrote = (text: string) => ({ type: 'VisitorWrote', content: { text } })
  const claimed = { type: 'ChatClaimed', staffId: 'ann', role: 'agent' }
  yield [`chat-${LARGE.chat}`, [opened('vic'), claimed, ...names('message ', 5_000).map(wrote)]]
  yield ['chat-heavy-chat', [opened('vic'), claimed, ...names('', 40).map((n) => wrote(n + 'x'.repeat(250_000)))]]
  const ended = [claimed, { type: 'ChatClosed', reason: 'visitor-left' }]
  for (const id of names('chat', 1_000)) yield [`chat-${id}`, [opened(`of-${id}`), ...ended]]

  const lesson = {
    type: 'LessonScheduled',
    org: 'big',
    teacherId: 'tea',
    title: 'L',
    startsAt: at,
    plannedMinutes: 600,
  }
  const started = { type: 'LessonStarted', at, dueAt: at + 36_000_000 }
  const joins = names('p', 4_000).map((participantId) => {
    return { type: 'ParticipantJoined', participantId, role: 'student', name: 'P', at, home: 'big', presence: at }
  })
  yield [`lesson-${LARGE.lesson}`, [{ ...lesson, code: 'K7MP2RXQ' }, started, ...joins]]
  const over = { type: 'LessonEnded', reason: 'ended', by: 'tea', at }
  yield ['lesson-22222222-2222-4222-8222-222222222222', [{ ...lesson, code: 'K7MP2RXR' }, started, ...joins, over]]

  const course = { type: 'CourseCreated', ...of, title: 'C', teacherIds: ['tea'] }
  const enrolled = (number: number) =>
    names('s', number).map((studentId) => ({ type: 'StudentEnrolled', studentId, at }))
  yield [`course-${LARGE.course}`, [course, ...enrolled(10_000)]]
  for (const id of names('course', 5)) yield [`course-${id}`, [course, ...enrolled(1_000)]]
  const session = { courseId: LARGE.course, teacherId: 'tea', teacherName: 'Tea', plannedMinutes: 600, secret: 'x' }
  const plan = { checkIn: 'code', lateAfterMinutes: null, dueAt: at + 36_000_000 }
  const marks = names('s', 4_000).map((studentId) => {
    return { type: 'StudentMarked', studentId, status: 'present', via: 'code', by: studentId, at }
  })
  yield [`attendance-${LARGE.session}`, [{ type: 'AttendanceStarted', ...of, ...session, ...plan }, ...marks]]
  const below = { ...of, courseId: LARGE.course, title: 'T' }
  const remarks = names('remark ', 5_000).map((message) => {
    return { type: 'RemarkMade', ...of, authorId: 's0', message, timestamp: 0 }
  })
  yield [`video-${LARGE.video}`, [{ type: 'VideoAdded', ...below, durationSeconds: 60, addedBy: 'tea' }, ...remarks]]
  const questions = [{ text: 'Q', choices: ['a', 'b'], answer: 0 }]
  const answers = names('s', 5_000).map((studentId) => {
    return { type: 'QuizAnswered', ...of, courseId: LARGE.course, studentId, answers: [0], score: 100, passed: true }
  })
  yield [`quiz-${LARGE.quiz}`, [{ type: 'QuizSet', ...below, passScore: 50, questions, setBy: 'tea' }, ...answers]]

  const created = { type: 'ProjectCreated', ...of, title: 'P', owner: { id: 'ada', number: 1 } }
  const members = names('m', 299).map((id, n) => ({
    type: 'MemberAdded',
    member: { id, number: n + 2 },
    by: 'ada',
    at,
  }))
  const sent = names('message ', 5_000).map((content, n) => {
    return { type: 'MessageSent', number: n + 1, senderId: 'ada', receiverId: null, content, file: null, at }
  })
  yield [`project-${LARGE.project}`, [created, ...members, ...sent]]
  for (const id of names('', 12)) yield [`project-${1_000 + Number(id)}`, [created, ...members]]

  for (const id of names('s', 1_500)) {
    yield [`presence-big.${id}`, [{ type: 'CameOnline', role: 'student', at }]]
    const profile = { name: id, email: `${id}@big.example` }
    yield [
      `person-big.${id}`,
      [{ type: 'PersonIntroduced', org: 'big', id, role: 'student', profile, issuedAt: 1, at }],
    ]
  }
}

/** Puts them into the log of this data directory. */
export async function recordLarge(data: string): Promise<void> {
  const onFatal = (error: unknown): never => {
    throw error
  }
  const log = await openEmbeddedLog({ path: `${data}/log`, codec: codec(eventSchemas), now: () => at, onFatal })
  const appending: Promise<unknown>[] = []
  for (const [stream, events] of streams()) {
    const proposed = events.map((event) => {
      const id = randomUUID()
      return { id, event, meta: { correlationId: id, by: 'big.tea' } }
    })
    let revision = -1
    const some = JSON.stringify(events[2] ?? '').length > 10_000 ? 3 : 1_000
    for (let from = 0; from < proposed.length; from += some) {
      const part = proposed.slice(from, from + some)
      appending.push(log.append(stream, revision, part))
      revision += part.length
    }
  }
  await Promise.all(appending)
  await log.close()
}
