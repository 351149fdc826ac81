import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { lostParticipants } from '../../src/contracts/lessons/lost-participants.ts'
import { lessonAt } from '../../src/contracts/lessons/record.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'

const at = 1_700_000_000_000
/** As long as ids may be, so that the bound is seen to keep within what one append holds. */
const long = (id: string): string => id.padEnd(64, 'x')
const org = long('acme')
const CROWD = 2_100

test('[LESSON-54] of a crowd that is lost at the end, 2,000 are recorded as gone, which one append holds', async () => {
  const plan = { org, teacherId: long('tea'), title: 'T', startsAt: at, plannedMinutes: 45, code: 'ABCDEFGH' }
  const history: LessonEvent[] = [
    { type: 'LessonScheduled', ...plan },
    { type: 'LessonStarted', at, dueAt: at + 75 * 60_000 },
  ]
  for (let n = 0; n < CROWD; n++) {
    const participantId = long(`student-${n}-`)
    history.push({ type: 'ParticipantJoined', participantId, role: 'student', name: null, home: org, presence: at, at })
  }
  const log = memoryLog({ codec: codec(eventSchemas), now: () => at })
  const meta = { correlationId: randomUUID(), by: `${org}.${plan.teacherId}` }
  const record = (from: number, events: readonly LessonEvent[]) =>
    log.append(
      'lesson-l1',
      from - 1,
      events.map((event) => ({ id: randomUUID(), event, meta })),
    )
  for (let n = 0; n < history.length; n += 500) await record(n, history.slice(n, n + 500))

  const lostAt = at + 1_000
  const row = {
    seq: 1,
    role: 'student',
    since: at,
    cameAt: '',
    loss: { at: lostAt, backAt: null },
    state: 'lost',
  } as const
  const get = () => ({ ...row, until: lostAt + 15_000 })
  const lost = lostParticipants({ get }, await lessonAt(log, 'l1'))
  expect(lost).toHaveLength(2_000)

  const left = lost.map(
    (one) =>
      ({ type: 'ParticipantLeft', participantId: one.participantId, reason: 'disconnected', at: one.lostAt }) as const,
  )
  await record(history.length, [...left, { type: 'LessonEnded', reason: 'ended', by: plan.teacherId, at: at + 2_000 }])
  const until = [...((await lessonAt(log, 'l1'))?.people.values() ?? [])].map((one) => one.intervals.at(-1)?.until)
  expect(until.filter((end) => end === lostAt)).toHaveLength(2_000)
  expect(until.filter((end) => end === at + 2_000)).toHaveLength(CROWD - 2_000)
  await log.close()
})
