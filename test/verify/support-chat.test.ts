import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { supportChat } from '../../src/contracts/support-chat/contract.ts'
import { staffInitShape } from '../../src/contracts/support-chat/shapes.ts'
import { PEOPLE, steps } from '../convergence/desk-world.ts'
import { honestClient } from '../convergence/honest-client.ts'
import { eventsOf } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const FIRST = 'acme-vera-0'
const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }
const sue: Party = { id: 'sue', org: 'acme', role: 'supervisor' }
const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }

const does =
  (by: Party, command: object, room = FIRST): Step =>
  ({ ask, node: { clock } }) =>
    ask('chat', room, { ...command, by, at: clock.now() } as never) // one of those below

const content = { n: 1 }
const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }
const opens = { type: 'OpenChat', visitor, content, bytes: 7 }
const writes = { type: 'Write', content, bytes: 7 }
const claims = { type: 'ClaimChat' }
const leaves = { type: 'LeaveChat' }

/** Three chats, each from its beginning to another kind of end. */
const EXAMPLE: readonly Step[] = [
  does(vera, opens),
  does(vera, writes),
  does(ann, claims),
  does(ann, writes),
  does(vera, writes),
  does(ann, { type: 'FlagChat', severity: 3 }),
  does(sue, { type: 'TakeOverChat' }),
  does(sue, leaves),
  does(vera, opens, 'acme-vera-1'),
  does(ann, claims, 'acme-vera-1'),
  does(vera, leaves, 'acme-vera-1'),
  does(vera, opens, 'acme-vera-2'),
  does(vera, leaves, 'acme-vera-2'),
]

const WATCHERS: readonly Party[] = PEOPLE.filter(({ org, role }) => org === 'acme' && role !== 'visitor')
/** Visitors are told these, and hold nothing yet. */
const TO_VISITORS = ['staff_join_room', 'staff_send', 'staff_leave']

test(
  '[VERIFY-1] support chat: what a client was told and the notices since are what it would be told ' + 'now',
  async () => {
    const seen = await verify(
      {
        contract: supportChat,
        besides: { staff_init: staffInitShape },
        async arrange(world) {
          for (const party of PEOPLE) await world.connect(party)
        },
        steps: steps.map((todo) =>
          todo.map(
            ({ category, stream, command }): Step =>
              (world) =>
                world.ask(category, stream.slice(category.length + 1), command as never), // of its own category
          ),
        ),
        example: EXAMPLE,
        watch: (world, nth) => world.connect(WATCHERS[nth % WATCHERS.length] as Party), // there are some
        held([opening, ...pushes], { party }) {
          const client = honestClient(opening?.data)
          for (const push of pushes) client.apply(push)
          const { online_users, ...rest } = client.held()
          // Whether somebody is shown as online to oneself is told by no push: one is there as long as one can look.
          return { ...rest, online_users: online_users.filter(({ id }) => id !== party.id) }
        },
      },
      40,
    )
    expect([...seen.events]).toEqual(expect.arrayContaining([...eventsOf('chat')]))
    const toStaff = Object.keys(supportChat.wire).filter((name) => !TO_VISITORS.includes(name))
    expect([...seen.names].sort()).toEqual(['staff_init', ...toStaff].sort())
  },
)
