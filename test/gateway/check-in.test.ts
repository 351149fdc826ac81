import { afterEach, describe, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { newSecret, shownCode } from '../../src/contracts/attendance/check-in-codes.ts'
import { sessionCalls } from '../../src/contracts/attendance/sessions.ts'
import { courseAccess } from '../../src/contracts/courses/access.ts'
import { guesses } from '../../src/gateway/auth/guesses.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { admissionQueue } from '../../src/runtime/admission-queue.ts'
import { openEntities } from '../../src/runtime/entities.ts'

const START = 1_700_000_000_000
const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const student = (id: string): Party => ({ id, org, role: 'student' })

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Two sessions of one course, `a1` and `a2`, on a log in memory and with a clock of our own. */
async function classroom(...students: string[]) {
  let now = START
  const log = memoryLog({ codec: codec(eventSchemas), now: () => now })
  const entities = openEntities({
    log,
    snapshots: { load: () => undefined, save: () => undefined },
    shared: false,
    now: () => now,
    idleMs: 30_000,
  })
  closing.push(
    () => entities.stop(),
    () => log.close(),
  )
  const admission = admissionQueue(entities)
  const calls = sessionCalls({
    log,
    entities,
    admission,
    access: courseAccess(entities),
    guesses: guesses({ firstSeconds: 60 }),
    now: () => now,
  })
  await entities.ask('course', 'c1', { type: 'CreateCourse', title: 'Algebra', teacherIds: [], by: tea, at: now })
  for (const studentId of students) await entities.ask('course', 'c1', { type: 'Enrol', studentId, by: tea, at: now })
  const secrets = [newSecret(), newSecret()] as const
  for (const [nth, secret] of secrets.entries()) {
    const plan = {
      courseId: 'c1',
      teacherName: 'Tea',
      plannedMinutes: 60,
      overrunMinutes: 30,
      checkIn: 'code',
      lateAfterMinutes: null,
    } as const
    await entities.ask('attendance', `a${nth + 1}`, {
      type: 'StartAttendance',
      ...plan,
      secret,
      teaches: true,
      by: tea,
      at: now,
    })
  }
  return {
    calls,
    entities,
    secrets,
    codeAt: (at: number) => shownCode(secrets[0], at).code,
    to(at: number) {
      now = at
    },
    async checkIn(who: string, code: string, session = 'a1', address = '10.0.0.1') {
      const answer = await calls.checkIn({ id: session }, student(who), code, address, {})
      if (typeof answer === 'number') return 'blocked'
      return answer instanceof Refusal ? answer.code : answer.status
    },
  }
}

describe('[ATT-12] only the clock of the server says which code is good', () => {
  test('a code is good until 40 seconds after it first stood on the screen', async () => {
    const { checkIn, codeAt, to } = await classroom('s1', 's2', 's3')
    const code = codeAt(START)
    expect(await checkIn('s1', code)).toBe('present')
    to(START + 39_999)
    expect(await checkIn('s2', code)).toBe('present')
    to(START + 40_000)
    expect(await checkIn('s3', code)).toBe('wrong-check-in-code')
  })
  test('a code of a window that is not even the next one is none', async () => {
    const { checkIn, codeAt } = await classroom('s1')
    expect(await checkIn('s1', codeAt(START + 40_000))).toBe('wrong-check-in-code')
  })
  test('the code of one session checks nobody in to another', async () => {
    const { checkIn, codeAt } = await classroom('s1')
    expect(await checkIn('s1', codeAt(START), 'a2')).toBe('wrong-check-in-code')
  })
})

describe('[ATT-13] guessing', () => {
  test(
    'a student is heard five times a minute, however many come at once, and then not with the right ' + 'code either',
    async () => {
      const { checkIn, codeAt } = await classroom('s1', 's2')
      const answers = await Promise.all(Array.from({ length: 20 }, () => checkIn('s1', 'WRNG22')))
      expect(answers.filter((answer) => answer === 'wrong-check-in-code')).toHaveLength(5)
      expect(answers.filter((answer) => answer === 'blocked')).toHaveLength(15)
      expect(await checkIn('s1', codeAt(START))).toBe('blocked')
      expect(await checkIn('s2', codeAt(START))).toBe('present')
    },
  )
  test(
    'from an address with sixty wrong codes in a minute everybody is heard until their first wrong ' + 'one',
    async () => {
      const guessers = Array.from({ length: 12 }, (_, n) => `g${n}`)
      const { checkIn, codeAt } = await classroom(...guessers, 's1', 's2')
      for (const guesser of guessers)
        for (let n = 0; n < 5; n++) expect(await checkIn(guesser, 'WRNG22')).toBe('wrong-check-in-code')
      expect(await checkIn('s1', codeAt(START))).toBe('present')
      expect(await checkIn('s2', 'WRNG22')).toBe('wrong-check-in-code')
      expect(await checkIn('s2', codeAt(START))).toBe('blocked')
      expect(await checkIn('s2', codeAt(START), 'a1', '10.0.0.2')).toBe('present')
    },
  )
  test('right codes cost nothing', async () => {
    const many = Array.from({ length: 300 }, (_, n) => `s${n}`)
    const { checkIn, codeAt } = await classroom(...many)
    const answers = await Promise.all(many.map((one) => checkIn(one, codeAt(START))))
    expect(new Set(answers)).toEqual(new Set(['present']))
    expect(await checkIn('s1', 'anything')).toBe('present') // there already
  })
})

test('[ATT-7] whoever enrols while the session ends is not marked into it', async () => {
  const { calls, entities } = await classroom('s1')
  await calls.end({ id: 'a1' }, tea, 'Tea', {})
  await entities.ask('course', 'c1', { type: 'Enrol', studentId: 's2', by: tea, at: START })
  const mark = async (studentId: string) =>
    calls.mark({ id: 'a1' }, tea, { studentId, status: 'present', reason: null }, {})
  expect(await mark('s2')).toMatchObject({ code: 'not-enrolled' })
  await entities.ask('course', 'c1', { type: 'Unenrol', studentId: 's1', by: tea, at: START })
  expect(await mark('s1')).toMatchObject({ status: 'present' }) // was enrolled when it ended
  expect(await calls.report({ id: 'a1' }, tea)).toMatchObject({ final_statistics: { total: 1, present: 1, absent: 0 } })
})
