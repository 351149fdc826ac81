import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { personName } from '../../machines/stream.ts'
import { supportChat } from '../../src/contracts/support-chat/contract.ts'
import { staffInitShape, visitorInitShape } from '../../src/contracts/support-chat/shapes.ts'
import { PEOPLE, stepsOn } from '../convergence/desk-world.ts'
import { honestClient, honestVisitor } from '../convergence/honest.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const FIRST = 'acme-vera-0'
const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }
const sue: Party = { id: 'sue', org: 'acme', role: 'supervisor' }
const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }

const does =
  (by: Party, command: object, room = FIRST): Step =>
  ({ ask, node: { clock } }) =>
    ask('chat', room, { ...command, by, at: clock.now() } as never) // one of those below

/** Closes their last connection. */
const goes =
  (by: Party): Step =>
  ({ ask, node: { clock } }) =>
    ask('presence', personName(by), { type: 'Leave', how: 'closed', graceMs: 0, by, at: clock.now() })

const content = { n: 1 }
const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }
const opens = { type: 'OpenChat', visitor, content, bytes: 7 }
const writes = { type: 'Write', content, bytes: 7 }
const claims = { type: 'ClaimChat' }
const leaves = { type: 'LeaveChat' }

/** Four chats, each from its beginning to another kind of end. */
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
  does(vera, opens, 'acme-vera-3'),
  does(ann, claims, 'acme-vera-3'),
  does(ann, writes, 'acme-vera-3'),
  does(vera, writes, 'acme-vera-3'),
  does(ann, { type: 'TransferChat', to: { id: 'bob', role: 'agent' } }, 'acme-vera-3'),
  does({ id: 'bob', org: 'acme', role: 'agent' }, { type: 'ReturnChat' }, 'acme-vera-3'),
  does(sue, { type: 'AssignChat', to: { id: 'ann', role: 'agent' } }, 'acme-vera-3'),
  does(
    { id: 'abandoned-chats', org: 'acme', role: 'system' },
    { type: 'ReturnAbandonedChat', gone: 'ann' },
    'acme-vera-3',
  ),
  goes(vera),
]

const isVisitor = ({ role }: Party): boolean => role === 'visitor'
const HERE: readonly Party[] = PEOPLE.filter(({ org }) => org === 'acme')
/** The visitor of the example comes first and hears all that visitors are told; then who serves and supervises. */
const WATCHERS = [vera, ...HERE.filter((party) => !isVisitor(party)), ...HERE.filter(isVisitor)]

test(
  '[VERIFY-1] [VERIFY-2] support chat: what a client was told and the notices since are what it would be told ' + 'now',
  async () => {
    const seen = await verify(
      {
        contract: supportChat,
        besides: { staff_init: staffInitShape, visitor_init: visitorInitShape },
        async arrange(world) {
          for (const party of PEOPLE) await world.connect(party)
        },
        // One chat of each visitor: of several at most one is open on a real server, which `visitor_init` stands on.
        steps: stepsOn(0).map((todo) =>
          todo.map(
            ({ category, stream, command }): Step =>
              (world) =>
                world.ask(category, stream.slice(category.length + 1), command as never), // of its own category
          ),
        ),
        example: EXAMPLE,
        watch: (world, nth) => world.connect(WATCHERS[nth % WATCHERS.length] as Party), // there are some
        held([opening, ...pushes], { party }) {
          if (isVisitor(party)) {
            const client = honestVisitor(opening?.data)
            for (const push of pushes) client.apply(push)
            return client.held()
          }
          const client = honestClient(opening?.data)
          for (const push of pushes) client.apply(push)
          const { online_users, ...rest } = client.held()
          // Whether somebody is shown as online to oneself is told by no push: one is there as long as one can look.
          return { ...rest, online_users: online_users.filter(({ id }) => id !== party.id) }
        },
      },
      40,
    )
    expect(unseen(seen, 'chat')).toEqual([])
    expect([...seen.names].sort()).toEqual(['staff_init', 'visitor_init', ...Object.keys(supportChat.wire)].sort())
  },
)
