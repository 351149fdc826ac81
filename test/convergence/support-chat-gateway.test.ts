import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StaffInit } from '../../src/contracts/support-chat/wire.ts'
import { type Company, company } from '../contracts/company.ts'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { honestClient, withoutPosition } from './honest.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({
    env: { DISCONNECT_GRACE_MS: '60', RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000' },
  })
})
afterAll(() => server.stop())

const STAFF = { ann: 'agent', bob: 'agent', sue: 'supervisor', ada: 'admin' } as const
const VISITORS = ['vera', 'vic', 'val', 'vim'] as const

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('staff-comes' as const),
      who: fc.constantFrom('ann', 'bob', 'sue', 'ada'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('visitor-comes' as const), who: fc.constantFrom(...VISITORS) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('closes' as const, 'is-lost' as const), nth: fc.nat() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('writes' as const),
      nth: fc.nat(),
      name: fc.constantFrom(
        'visitor_first_msg',
        'visitor_first_msg',
        'visitor_msg',
        'visitor_msg_unclaimed',
        'visitor_leave_room',
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('serves' as const),
      nth: fc.nat(),
      room: fc.nat(),
      name: fc.constantFrom('staff_join', 'staff_msg', 'take_over_chat', 'change_chat_priority', 'staff_leave_room'),
      severity: fc.nat({ max: 2 }),
    }),
  },
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

/** Does these things as they come, several at once, and never waits for more than a socket's coming. */
async function play(acme: Company, watcher: Client, todo: readonly Action[]): Promise<Client[]> {
  const staff = [watcher]
  const visitors: Client[] = []
  // a polling client believes itself connected for some time after its engine was closed
  const ended = new Set<Client>()
  const answers: Promise<unknown>[] = []
  const comes = async (role: string, who: string, to: Client[]) => {
    const client = await acme.join(role, who, { transports: [to.length % 3 ? 'websocket' : 'polling'] })
    to.push(client)
  }
  for (const one of todo) {
    switch (one.kind) {
      case 'staff-comes':
        await comes(STAFF[one.who as keyof typeof STAFF], one.who, staff)
        break
      case 'visitor-comes':
        await comes('visitor', one.who, visitors)
        break
      case 'closes':
      case 'is-lost': {
        const all = [...staff.slice(1), ...visitors]
        const client = all[one.nth % Math.max(1, all.length)]
        if (client) ended.add(client)
        if (one.kind === 'closes') client?.close()
        else client?.socket.io.engine.close()
        break
      }
      case 'writes': {
        const client = visitors[one.nth % Math.max(1, visitors.length)]
        const args = one.name === 'visitor_leave_room' ? [] : [{ n: one.nth }]
        if (client && !ended.has(client)) client.socket.emit(one.name, ...args)
        break
      }
      case 'serves': {
        const rooms = watcher.all('append_unclaimed_chats').map(({ room }) => room.id)
        const client = staff[one.nth % staff.length]
        const data = {
          room: rooms[one.room % Math.max(1, rooms.length)],
          content: { n: one.nth },
          severity_level: one.severity,
        }
        if (client && !ended.has(client) && rooms.length > 0)
          answers.push(
            client.socket
              .timeout(5_000)
              .emitWithAck(one.name, data)
              .catch(() => undefined),
          )
        break
      }
    }
    if (answers.length % 4 === 3) await Promise.race([Promise.all(answers.splice(0)), new Promise(setImmediate)])
  }
  return staff.filter((client) => !ended.has(client))
}

test('[INIT-7] what real staff clients hold, whenever they came, is what a fresh staff_init says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 40, maxLength: 90, size: 'max' }), async (todo) => {
      const acme = company(server)
      const watcher = await acme.join('supervisor', 'watcher')
      const staff = await play(acme, watcher, todo)
      const fresh = await acme.join('agent', 'fresh')
      const init: StaffInit = await fresh.told('staff_init')
      await acme.fence(fresh, ...staff)
      for (const client of staff) {
        const [first, ...rest] = client.heard
        expect(first?.name).toBe('staff_init')
        const held = honestClient(first?.data)
        // Graces and closings are still under way: up to the moment that the fresh one was told of, no further.
        for (const push of rest) if (BigInt(push.data.pos) <= BigInt(init.pos)) held.apply(push)
        const { own_chats, ...shared } = held.held() // what they serve themselves: INIT-4
        expect({ ...shared, own_chats: [] }).toEqual(withoutPosition(init))
        expect(own_chats.every(({ room }) => room.id)).toBe(true)
      }
      acme.close()
    }),
    { numRuns: sized(6, 12), endOnFailure: true },
  )
})
