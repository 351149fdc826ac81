import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { enter, type Player } from './client.ts'
import { logIn, type Member } from './house.ts'
import { type Caller, caller } from './http.ts'
import { print, say, title } from './narrate.ts'

const LENGTH_S = 60
/** A player reports about once a second. In real time: what counts as watched depends on the time that has passed. */
const BEAT_MS = 1_000
/** Behind what anybody can have watched since the last report, also where the machine stands still for a while. */
const SEEK_TO_S = 50

const QUIZ = {
  title: 'A quarter?',
  pass_score: 60,
  questions: [
    { text: 'Half of a half?', choices: ['a third', 'a quarter'], answer: 1 },
    { text: 'Half of 3?', choices: ['1.5', '2'], answer: 0 },
    { text: 'Half of nothing?', choices: ['nothing', 'a half'], answer: 0 },
  ],
}

/** Somebody with a browser: what they hear comes over Socket.IO, what they keep goes over HTTP. */
interface Screen {
  readonly id: string
  readonly http: Caller
  readonly live: Player
}

/** A course at work, from making it to the CSV of what was watched, on the screens of a student and an instructor. */
export async function playCourse(url: string, admin: Member): Promise<void> {
  title('The admin opens accounts for an instructor and a student, who log in')
  const [ines, stan] = [
    await openAccount(url, admin, 'teacher', 'Ines'),
    await openAccount(url, admin, 'student', 'Stan'),
  ]
  const screens: Screen[] = []
  const sits = async (who: string, member: Member): Promise<Screen> => {
    const screen = { id: member.id, http: caller(url, who, member), live: await enter(url, who, member) }
    screens.push(screen)
    return screen
  }
  try {
    const instructor = await sits('Instructor', ines)
    const student = await sits('Student', stan)
    await course(instructor, student)
  } finally {
    for (const { live } of screens) live.close()
  }
}

/**
 * The demo organisation has a support desk, and no school. A name of its own each time: the accounts of a running
 * server stay as they are.
 */
export async function openAccount(url: string, admin: Member, role: string, name: string): Promise<Member> {
  const login = {
    email: `${name.toLowerCase()}-${randomBytes(3).toString('hex')}@demo.example`,
    password: randomBytes(12).toString('base64url'),
  }
  await caller(url, 'Admin', admin).ask('POST', '/users', { ...login, role, full_name: `${name} (${role})` })
  return logIn(url, login)
}

async function course(instructor: Screen, student: Screen): Promise<void> {
  title('The instructor makes a course with a video and a quiz, and enrols the student')
  const { id: course_id } = await instructor.http.ask('POST', '/courses', { title: 'Halves' })
  const path = `/courses/${course_id}`
  await instructor.live.must('join_course', { course_id })
  await instructor.live.told('joined_course')
  const { id: video_id } = await instructor.http.ask('POST', `${path}/videos`, {
    title: 'Halves in a minute',
    duration_seconds: LENGTH_S,
  })
  const { id: quiz_id } = await instructor.http.ask('POST', `${path}/quizzes`, QUIZ)
  await instructor.http.ask('POST', `${path}/enrollments`, { student_id: student.id })
  await instructor.live.told('new_enrollment')

  title('Both sit down beside the video')
  await instructor.live.must('join_video', { video_id })
  await instructor.live.told('joined_video')
  await student.live.must('join_course', { course_id })
  await student.live.must('join_video', { video_id })
  await Promise.all([student.live.told('joined_video'), instructor.live.told('user_joined_video')])

  title(`The student watches, and jumps to second ${SEEK_TO_S}: what is jumped over is not watched`)
  const places = [0, 1, 2, SEEK_TO_S, SEEK_TO_S + 1]
  for (const [n, timestamp] of places.entries()) {
    if (n > 0) await pause(BEAT_MS)
    const progress = Math.round((timestamp / LENGTH_S) * 100)
    await student.live.must('video_progress', { video_id, course_id, progress, timestamp })
    await Promise.all([instructor.live.told('student_progress'), instructor.live.told('progress_update')])
  }

  title('They talk beside it')
  for (const [from, message] of [
    [student, 'Is a half of a half a quarter?'],
    [instructor, 'It is! Try the quiz.'],
  ] as const) {
    await from.live.must('send_chat_message', { video_id, message, timestamp: SEEK_TO_S + 1 })
    await Promise.all([student, instructor].map(({ live }) => live.told('new_chat_message')))
  }

  title('The student leaves the video, hands in the quiz, and says what they think')
  await student.live.must('leave_video', { video_id })
  const { score, passed } = await student.http.ask('POST', `${path}/quizzes/${quiz_id}/submissions`, {
    answers: [1, 1, 0],
  })
  say('Student', `  yes: ${score} percent right, ${passed ? 'passed' : 'failed'}`)
  await instructor.live.told('quiz_submission')
  await student.http.ask('POST', `${path}/reviews`, { rating: 5, comment: 'Half as long would do, too.' })
  await Promise.all([student, instructor].map(({ live }) => live.told('new_review')))

  title('What was watched, for the instructor: as JSON, and as CSV')
  print(JSON.stringify(await instructor.http.ask('GET', `${path}/progress`), null, 2))
  print((await instructor.http.text(`${path}/progress.csv`)).trimEnd())
}
