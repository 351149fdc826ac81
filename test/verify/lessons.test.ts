import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { personName } from '../../machines/stream.ts'
import { lessons } from '../../src/contracts/lessons/contract.ts'
import type { Heard } from '../support/rooms.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'
import type { World } from './world.ts'

const org = 'acme'
const PLANNED_MINUTES = 45
const OVERRUN_MINUTES = 30
const tea: Party = { id: 'tea', org, role: 'teacher' }
const system: Party = { id: 'system', org, role: 'system' }
const NAMES = ['ann', 'bob', 'cyd'] as const
const person = (id: string): Party => (id === 'tea' ? tea : { id, org, role: 'student' })

async function presenceOf({ node: { entities } }: World, party: Party): Promise<number> {
  return (await entities.state('presence', personName(party))).state.context.since ?? 0
}

async function join(world: World, by: Party): Promise<unknown> {
  const presence = await presenceOf(world, by)
  const how = { name: by.id, invited: false, guest: false, resume: false, presence, backAt: null, past: null } as const
  return world.ask('lesson', 'l', { type: 'JoinLesson', ...how, by, at: world.node.clock.now() })
}

const name = fc.constantFrom(...NAMES)
const joining = name.map<Step>((id) => (world) => join(world, person(id)))
const leaving = name.map<Step>((participantId) => ({ ask, node: { clock } }) => {
  const at = clock.now()
  const left = { participantId, presence: null, reason: 'left', leftAt: at } as const
  return ask('lesson', 'l', { type: 'LeaveLesson', ...left, by: system, at })
})
const returning = name.map<Step>((participantId) => async (world) => {
  const { ask, node } = world
  const presence = await presenceOf(world, person(participantId))
  const at = node.clock.now()
  const back = { participantId, role: 'student', presence, lostAt: at - 1, backAt: at, isDuring: true } as const
  return ask('lesson', 'l', { type: 'ResumeLesson', ...back, by: system, at })
})
const starts: Step = ({ ask, node: { clock } }) =>
  ask('lesson', 'l', { type: 'StartLesson', overrunMinutes: OVERRUN_MINUTES, by: tea, at: clock.now() })
const ending = fc.constant<Step>(({ ask, node: { clock } }) =>
  ask('lesson', 'l', { type: 'EndLesson', lost: [], by: tea, at: clock.now() }),
)
const renames: Step = ({ ask, node: { clock } }) => {
  const change = { title: 'Geometry', startsAt: clock.now() + 60_000, callOffHours: 24 } as const
  return ask('lesson', 'l', { type: 'ChangeLessonPlan', ...change, by: tea, at: clock.now() })
}
const looksOn =
  (elsewhere: boolean): Step =>
  ({ ask, node: { clock } }) =>
    ask('lesson', 'l', { type: 'LookOn', elsewhere, awayMs: 5, by: tea, at: clock.now() })
/** Nobody has ended what was started. The policy ends it and this asks, too, as another node's policy does. */
const isOverdue: Step = (world) => {
  world.advance((PLANNED_MINUTES + OVERRUN_MINUTES + 1) * 60_000)
  return world.ask('lesson', 'l', { type: 'EndOverdueLesson', lost: [], by: system, at: world.node.clock.now() })
}
/** Another lesson that nobody joins, or the one that there is already. */
const scheduling = fc.constantFrom('l', 'm').map<Step>((id) => ({ ask, node: { clock } }) => {
  const plan = { title: 'Algebra', startsAt: clock.now(), plannedMinutes: PLANNED_MINUTES, code: `CODE${id}` }
  return ask('lesson', id, { type: 'ScheduleLesson', ...plan, callOffHours: 24, by: tea, at: clock.now() })
})
const reserving = fc.tuple(fc.constantFrom('l', 'm'), fc.nat(2)).map<Step>(
  ([lessonId, n]) =>
    ({ ask, node: { clock } }) =>
      ask('joincode', `CODE${n}`, { type: 'ReserveJoinCode', lessonId, by: tea, at: clock.now() }),
)

/** What somebody knows who applies what they are told; null = they are in no lesson that goes on. */
function known(heard: readonly Heard[]): object | null {
  let view: { state: string; plan: unknown; present: Map<string, object> } | null = null
  for (const { name, data } of heard) {
    const people = (data.participants ?? []) as { participant_id: string; role: string; name: string }[]
    if (name === 'lesson_state')
      view = {
        state: data.state,
        plan: planIn(data),
        present: new Map(people.map(({ participant_id: id, ...rest }) => [id, facts(rest)])),
      }
    if (!view) continue
    if (name === 'participant_joined')
      for (const { participant_id: id, ...rest } of people) view.present.set(id, facts(rest))
    if (name === 'participant_left') for (const { participant_id } of people) view.present.delete(participant_id)
    if (name === 'lesson_changed') view.plan = planIn(data)
    if (name === 'lesson_started') view.state = 'live'
    if (name === 'lesson_ended') view = null
  }
  return view && { ...view, present: [...view.present].sort(([a], [b]) => (a < b ? -1 : 1)) }
}

const planIn = ({ title, starts_at, planned_minutes }: Heard['data']): unknown => [title, starts_at, planned_minutes]
const facts = ({ role, name }: { role: string; name: string }): object => ({ role, name })

test(
  '[VERIFY-1] [VERIFY-2] lessons: what a participant was told and the notices since are what they would be told ' +
    'now',
  async () => {
    const seen = await verify(
      {
        contract: lessons,
        async arrange(world) {
          const plan = {
            title: 'Algebra',
            startsAt: world.node.clock.now(),
            plannedMinutes: PLANNED_MINUTES,
            code: 'ABCDEFGH',
          }
          const by = { by: tea, at: world.node.clock.now() }
          await world.ask('joincode', 'ABCDEFGH', { type: 'ReserveJoinCode', lessonId: 'l', ...by })
          await world.ask('lesson', 'l', { type: 'ScheduleLesson', ...plan, callOffHours: 24, ...by })
          for (const id of [...NAMES, 'tea']) await world.connect(person(id))
          await join(world, tea)
        },
        steps: fc.array(
          fc.oneof(
            { weight: 8, arbitrary: joining },
            { weight: 6, arbitrary: leaving },
            { weight: 4, arbitrary: returning },
            { weight: 2, arbitrary: fc.constant(starts) },
            { weight: 2, arbitrary: fc.constant(renames) },
            { weight: 2, arbitrary: fc.boolean().map(looksOn) },
            { weight: 1, arbitrary: ending },
            { weight: 1, arbitrary: fc.constant(isOverdue) },
            { weight: 1, arbitrary: scheduling },
            { weight: 1, arbitrary: reserving },
          ),
          { minLength: 5, maxLength: 30, size: 'max' },
        ),
        example: [looksOn(false), renames, starts, looksOn(false), isOverdue],
        watch: (world) => world.connect(tea),
        held: known,
      },
      40,
    )
    expect(unseen(seen, 'lesson', 'joincode')).toEqual([])
    expect([...seen.names].sort()).toEqual(Object.keys(lessons.wire).sort())
  },
)
