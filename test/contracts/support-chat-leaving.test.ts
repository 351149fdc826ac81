import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

let server: TestServer
let acme: Company
let sue: Client
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '3600000' } }) // so that whatever ends here ends at once
})
afterAll(() => server.stop())
beforeEach(async () => {
  acme = company(server)
  sue = await acme.join('supervisor', 'sue')
})
afterEach(() => acme.close())

test('[GRACE-1] a socket that its client closes ends the visitor’s chat at once', async () => {
  const ann = await acme.join('agent', 'ann')
  const { visitor, room } = await acme.chat('vera', sue)
  await ann.ask('staff_join', { room })
  visitor.close()
  expect(await ann.told('visitor_leave')).toMatchObject({ room, user: { id: 'vera' } })
  await sue.told('visitor_leave_chat_for_supervisor', (data) => data.room === room)
  await sue.told('visitor_goes_offline', ({ user }) => user.id === 'vera')
  expect((await acme.events(room)).at(-1)).toMatchObject({
    type: 'ChatClosed',
    data: { reason: 'visitor-disconnected' },
    by: 'system',
  })
})

test('[GRACE-1] it takes an unclaimed chat from the queue at once', async () => {
  const { visitor, room } = await acme.chat('vera', sue)
  visitor.close()
  expect(await sue.told('visitor_leave_queue')).toMatchObject({ room, user: { id: 'vera' } })
})

test('[GRACE-2] a staff member’s ends all their chats, and each visitor is told', async () => {
  const ann = await acme.join('agent', 'ann')
  const chats = await Promise.all(['v1', 'v2', 'v3'].map((id) => acme.chat(id, sue)))
  for (const { room } of chats) await ann.ask('staff_join', { room })
  ann.close()
  for (const { visitor, room } of chats) {
    expect(await visitor.told('staff_leave')).toMatchObject({ room, user: { id: 'ann' } })
    await sue.told('staff_leave_chat_for_supervisor', (data) => data.room === room)
  }
  expect(await chats[0]?.visitor.ask('visitor_first_msg', { text: 'again' }), 'on the same socket').toEqual([
    true,
    null,
  ])
})

test('[GRACE-3] nothing ends while its owner has another one', async () => {
  const ann = await acme.join('agent', 'ann')
  const { visitor, room } = await acme.chat('vera', sue)
  await ann.ask('staff_join', { room })
  const tab = await acme.join('agent', 'ann')
  ann.close()
  await acme.fence(sue)
  expect(await visitor.ask('visitor_msg', { text: 'still there?' })).toEqual([true, null])
  await tab.told('visitor_send')
  expect(visitor.all('staff_leave')).toEqual([])
})
