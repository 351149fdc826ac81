import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { supportChat } from '../../src/contracts/support-chat/contract.ts'
import { staffInitShape } from '../../src/contracts/support-chat/shapes.ts'
import { PEOPLE, steps } from '../convergence/desk-world.ts'
import { honestClient } from '../convergence/honest-client.ts'
import { eventsOf } from './kinds.ts'
import { type Step, verify } from './verify.ts'

/** Whoever serves the chat, if somebody does. */
const serverWrites =
  (chat: string): Step =>
  async ({ ask, node: { entities, clock } }) => {
    const { org, staffId } = (await entities.state('chat', chat)).state.context
    if (staffId === null) return undefined
    const by: Party = { id: staffId, org, role: 'agent' }
    return ask('chat', chat, { type: 'Write', content: { n: 1 }, bytes: 7, by, at: clock.now() })
  }

const adminTakesOver =
  (chat: string): Step =>
  ({ ask, node: { clock } }) => {
    const by: Party = { id: 'ada', org: 'acme', role: 'admin' }
    return ask('chat', chat, { type: 'TakeOverChat', by, at: clock.now() })
  }

const WATCHERS: readonly Party[] = PEOPLE.filter(({ org, role }) => org === 'acme' && role !== 'visitor')

test('[VERIFY-1] support chat: what a client was told and the notices since are what it would be told now', async () => {
  const seen = await verify(
    {
      contract: supportChat,
      besides: { staff_init: staffInitShape },
      async arrange(world) {
        for (const party of PEOPLE) await world.connect(party)
      },
      steps: steps.map((todo) =>
        todo.flatMap(({ category, stream, command }): Step[] => {
          const id = stream.slice(category.length + 1)
          // A step's command is one of its own category.
          const step: Step = (world) => world.ask(category, id, command as never)
          if (category !== 'chat') return [step]
          if (command.type === 'Write') return [step, serverWrites(id)]
          return command.type === 'TakeOverChat' ? [step, adminTakesOver(id)] : [step]
        }),
      ),
      watch: (world, nth) => world.connect(WATCHERS[nth % WATCHERS.length] as Party), // there are some
      held([opening, ...pushes], { party }) {
        const client = honestClient(opening?.data)
        for (const push of pushes) client.apply(push)
        const { online_users, ...rest } = client.held()
        // Whether somebody is shown as online to oneself is told by no push: one is there as long as one can look.
        return { ...rest, online_users: online_users.filter(({ id }) => id !== party.id) }
      },
    },
    60,
  )
  expect([...seen.events]).toEqual(expect.arrayContaining([...eventsOf('chat')]))
  expect([...seen.names].sort()).toEqual(['staff_init', ...Object.keys(supportChat.wire).filter(toStaff)].sort())
})

/** Visitors are told these, and hold nothing yet. */
const TO_VISITORS = ['staff_join_room', 'staff_send', 'staff_leave']
const toStaff = (name: string): boolean => !TO_VISITORS.includes(name)
