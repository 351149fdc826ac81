import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import type { LessonCommand } from '../../machines/lesson/commands.ts'
import { decide } from '../../machines/lesson/decide.ts'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { lessonMachine } from '../../machines/lesson/machine.ts'
import { lessonRoom } from '../../src/contracts/lessons/audiences.ts'
import { LessonsModel } from '../../src/contracts/lessons/lessons-model.ts'
import { lessonNotices } from '../../src/contracts/lessons/notices.ts'
import { lessonPace } from '../../src/contracts/lessons/pace.ts'
import { lessonHistory } from '../../src/contracts/lessons/record.ts'
import { personRoom } from '../../src/delivery/notice.ts'
import { placedNotices } from '../../src/delivery/placed-notice.ts'
import { codec } from '../../src/log/codec.ts'
import type { Recorded } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { derivedUuid } from '../../src/runtime/ids.ts'
import { manualClock } from '../support/clock.ts'
import { replay } from '../support/given.ts'
import { type Heard, rooms } from '../support/rooms.ts'

const LESSON = 'l1'
const org = 'acme'
const tea: Party = { id: 'tea', org, role: 'teacher' }
const NAMES = ['tea', 'a', 'b', 'c', 'd', 'watcher']
const system: Party = { id: 'system', org, role: 'system' }

/** Everybody who may come, each with one socket. */
function people(now: () => number) {
  const all = rooms(now)
  const members = new Map(NAMES.map((id) => [id, all.enter(personRoom({ org, id }))]))
  return {
    outlet: all.outlet,
    told: (id: string): readonly Heard[] => members.get(id)?.heard ?? [],
    inside: () => [...members].flatMap(([id, member]) => (member.rooms.has(lessonRoom(LESSON)) ? [id] : [])),
  }
}

/** What somebody knows who just applies what they are told, in the order in which it comes. */
function known(pushes: readonly Heard[]): { state: string; present: Set<string> } | undefined {
  let view: { state: string; present: Set<string> } | undefined
  for (const { name, data } of pushes) {
    const ids: string[] = (data.participants ?? []).map((one: { participant_id: string }) => one.participant_id)
    if (name === 'lesson_state') view = { state: data.state, present: new Set(ids) }
    if (!view) continue
    if (name === 'participant_joined') for (const id of ids) view.present.add(id)
    if (name === 'participant_left') for (const id of ids) view.present.delete(id)
    if (name === 'lesson_started') view.state = 'live'
    if (name === 'lesson_ended') view = { state: 'ended', present: new Set() }
  }
  return view
}

type Step = { readonly afterMs: number; readonly command: (at: number, n: number) => LessonCommand }

const person = fc.constantFrom('tea', 'a', 'b', 'c', 'd')
const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(300)),
  command: fc.oneof(
    { weight: 60, arbitrary: fc.tuple(person, fc.boolean()).map(([id, resume]) => joining(id, resume)) },
    { weight: 50, arbitrary: person.map(leaving) },
    { weight: 30, arbitrary: person.map(returning) },
    {
      weight: 10,
      arbitrary: fc.constant((at: number): LessonCommand => ({ type: 'StartLesson', overrunMinutes: 30, by: tea, at })),
    },
    {
      weight: 1,
      arbitrary: fc.constant((at: number): LessonCommand => ({ type: 'EndLesson', lost: [], by: tea, at })),
    },
  ),
})

function joining(id: string, resume: boolean): Step['command'] {
  const by: Party = id === 'tea' ? tea : { id, org, role: 'student' }
  return (at) => ({
    type: 'JoinLesson',
    name: id,
    invited: false,
    guest: false,
    resume,
    presence: 1,
    backAt: null,
    past: null,
    by,
    at,
  })
}
function leaving(id: string): Step['command'] {
  return (at) => ({
    type: 'LeaveLesson',
    participantId: id,
    presence: null,
    reason: 'left',
    leftAt: at,
    by: system,
    at,
  })
}
function returning(id: string): Step['command'] {
  return (at) => ({
    type: 'ResumeLesson',
    participantId: id,
    role: 'student',
    presence: 1,
    lostAt: at - 1,
    backAt: at,
    isDuring: true,
    by: system,
    at,
  })
}

/** Runs the steps through the machine and moves the feed by every event, as the follower would. */
function run(steps: readonly Step[], each: (recorded: Recorded<LessonEvent>, at: number) => void) {
  const clock = manualClock()
  const at = clock.now()
  const its = people(clock.now)
  const lessons = new LessonsModel(memoryLog({ codec: codec(eventSchemas), now: clock.now }))
  const pace = lessonPace({ lessons, outlet: its.outlet, clock })
  const history: LessonEvent[] = []
  const record = (events: readonly LessonEvent[]): void => {
    for (const event of events) {
      const revision = history.push(event) - 1
      const id = derivedUuid(String(revision))
      const place = { stream: `lesson-${LESSON}`, revision, position: BigInt(revision), at: clock.now() }
      const recorded: Recorded<LessonEvent> = { id, event, meta: { correlationId: id, by: 'system' }, ...place }
      const change = lessons.onEvent(recorded)
      if (change) pace.push(placedNotices(recorded, lessonNotices(change)), change)
      each(recorded, clock.now())
    }
  }
  record([
    { type: 'LessonScheduled', org, teacherId: 'tea', title: 'T', startsAt: at, plannedMinutes: 45, code: 'ABCDEFGH' },
  ])
  for (const [n, { afterMs, command }] of steps.entries()) {
    clock.advance(afterMs)
    const decision = decide(replay(lessonMachine, history), command(clock.now(), n))
    if (!(decision instanceof Refusal)) record(decision)
  }
  clock.advance(60_000)
  const lesson = lessons.get(LESSON)
  const state = lesson?.row && { state: lesson.row.status, participants: lesson.present() }
  expect(clock.pending()).toBe(0)
  return { history, its, state, lessons }
}

describe('[LESSON-40] state and pushes', () => {
  test('the state at any cut, and the pushes that follow, are the state now', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const { its, state, history } = run(steps, () => {})
        const ended = history.at(-1)?.type === 'LessonEnded'
        const present = new Set(state?.participants.map(({ id }) => id) ?? [])
        for (const id of ended ? [] : present) {
          expect(known(its.told(id))).toEqual({ state: state?.state, present })
        }
        expect(ended).toBe(state === undefined)
        expect(its.inside().sort()).toEqual([...present].sort())
      }),
    )
  })
  test('every event is told once, each participant’s in order, nobody more than ten times a second', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const watcher = [{ afterMs: 0, command: joining('watcher', false) }, ...steps]
        const { its, history } = run(watcher, () => {})
        const heard = its.told('watcher').filter(({ name }) => name.startsWith('participant_'))
        const seqs = heard.flatMap(({ data }) => data.participants.map(({ seq }: { seq: number }) => seq))
        const expected = history.flatMap((event, seq) => ('participantId' in event ? [seq] : []))
        expect([...seqs].sort((a, b) => a - b)).toEqual(expected)
        for (const id of ['tea', 'a', 'b', 'c', 'd']) {
          const own = heard.flatMap(({ data }) =>
            data.participants.flatMap((one: { participant_id: string; seq: number }) =>
              one.participant_id === id ? [one.seq] : [],
            ),
          )
          expect(own).toEqual([...own].sort((a, b) => a - b))
        }
        for (const [n, { at }] of heard.entries())
          expect((heard[n + 10]?.at ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThan(1_000)
        for (const { data } of heard) expect(data.seq).toBe(data.participants.at(-1).seq)
      }),
    )
  })
})

test('[LESSON-41] a lesson made from its stream is the lesson that was followed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat(40), async (steps, cut) => {
      const log = memoryLog({ codec: codec(eventSchemas), now: () => 0 })
      const all: Recorded<LessonEvent>[] = []
      const { lessons } = run(steps, (recorded) => all.push(recorded))
      await log.append(`lesson-${LESSON}`, -1, all)
      const late = new LessonsModel(log)
      const next = all[Math.min(cut, all.length - 1) + 1] // the first event that is heard live
      if (next) await late.load(next)
      for (const recorded of all) late.onEvent(recorded)
      expect(late.get(LESSON)?.row).toEqual(lessons.get(LESSON)?.row)
      expect([...(late.get(LESSON)?.people ?? [])]).toEqual([...(lessons.get(LESSON)?.people ?? [])])
      await log.close()
    }),
    { numRuns: 50 },
  )
})

test('[RESUME-7] a lesson made late, from a mark, changes as the lesson that was followed', async () => {
  const log = memoryLog({ codec: codec(eventSchemas), now: () => 0 })
  const all: Recorded<LessonEvent>[] = []
  const [start] = fc.sample(step, 100).filter(({ command }) => command(0, 0).type === 'StartLesson')
  const moving = fc.record({
    afterMs: fc.nat(30),
    command: fc.oneof(
      person.map((id) => joining(id, false)),
      person.map(leaving),
    ),
  })
  run([start as Step, ...fc.sample(moving, { numRuns: 650, seed: 1 })], (recorded) => all.push(recorded))
  expect(all.length).toBeGreaterThan(280) // more than one mark
  await log.append(`lesson-${LESSON}`, -1, all)
  const [history, followed] = [lessonHistory(log), new LessonsModel(log)]
  const said = (model: LessonsModel, recorded: Recorded<LessonEvent>) => {
    const change = model.onEvent(recorded)
    return change && [lessonNotices(change), change.record.row, new Map(change.record.people)]
  }
  for (const recorded of all) {
    const live = said(followed, recorded)
    if (recorded.revision % 31 !== 30) continue
    const late = new LessonsModel(log, history)
    await late.load(recorded)
    expect(said(late, recorded)).toEqual(live)
  }
  await log.close()
})
