import fc from 'fast-check'
import { expect, test } from 'vitest'
import { history, node, PEOPLE, reaches, steps } from './desk-world.ts'
import { honestClient, withoutPosition } from './honest.ts'

const staff = PEOPLE.filter(({ role }) => role !== 'visitor')

/**
 * Plays a history; a client of every staff member connects at every cut; `apply` says how often each push is applied.
 */
async function play(todo: Parameters<typeof history>[0], times: number): Promise<void> {
  const desk = node()
  const log = history(todo)
  const clients = staff.map((who) => ({ who, from: [honestClient(desk.opening(who.org, who.id))] }))
  for (const recorded of log) {
    const notices = await desk.hear(recorded)
    for (const { who, from } of clients) {
      for (const { to, name, data } of notices) {
        if (reaches(to, who))
          for (const client of from) for (let i = 0; i < times; i++) client.apply({ name, data: wire(data) })
      }
      from.push(honestClient(desk.opening(who.org, who.id)))
    }
  }
  for (const { who, from } of clients) {
    const now = withoutPosition(desk.opening(who.org, who.id))
    // Whether somebody is shown as online to oneself is told by no push: one is there as long as one can look.
    for (const [cut, client] of from.entries())
      expect(others(client.held(), who.id), `${who.id}, cut ${cut}`).toEqual(others(now, who.id))
  }
}

const wire = <T>(data: T): T => JSON.parse(JSON.stringify(data))
type Held = ReturnType<typeof withoutPosition>
const others = (held: Held, me: string): Held => ({
  ...held,
  online_users: held.online_users.filter(({ id }) => id !== me),
})

test(
  '[INIT-4] staff_init at any moment and the pushes after it are staff_init now, for everybody, ' + 'whatever happens',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, (todo) => play(todo, 1)),
      { numRuns: 150 },
    )
  },
)

test('[INIT-5] a push that is applied twice changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (todo) => play(todo, 2)),
    { numRuns: 50 },
  )
})

test('[INIT-6] a history holds what the rules are about, or the two above would prove nothing', () => {
  const seen = new Set<string>()
  for (const todo of fc.sample(steps, { numRuns: 200, seed: 1 }))
    for (const { event } of history(todo)) seen.add(event.type)
  const chats = [
    'ChatOpened',
    'VisitorWrote',
    'StaffWrote',
    'ChatClaimed',
    'ChatTakenOver',
    'ChatTransferred',
    'ChatReturned',
    'ChatAssigned',
    'ChatFlagged',
    'ChatClosed',
  ]
  const people = [
    'CameOnline',
    'ConnectionLost',
    'CameBack',
    'WentOffline',
    'PersonIntroduced',
    'ProfileChanged',
    'PersonDisabled',
    'PersonEnabled',
  ]
  expect([...seen].sort()).toEqual([...chats, ...people].sort())
})
