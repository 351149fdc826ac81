import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { type Company, company } from './company.ts'

const GRACE_MS = 500
let server: TestServer
let acme: Company
let sue: Client
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: String(GRACE_MS) } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  acme = company(server)
  sue = await acme.join('supervisor', 'sue')
})
afterEach(() => acme.close())

const sockets = async (): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(/^lyceum_sockets (\d+)/m.exec(text)?.[1])
}
/** The connection breaks: no Socket.IO packet says why. Resolves when the server has noticed. */
async function lose(client: Client): Promise<void> {
  const before = await sockets()
  client.socket.io.engine.close()
  await expect.poll(sockets, { interval: 10 }).toBeLessThan(before)
}
/** Visitor and agent in a claimed chat. */
async function talking(transport: 'websocket' | 'polling' = 'websocket') {
  const options = { transports: [transport] }
  const ann = await acme.join('agent', 'ann', options)
  const { visitor, room } = await acme.chat('vera', sue)
  await ann.ask('staff_join', { room })
  return { ann, vera: visitor, room, options }
}

describe('a socket that its client closes', () => {
  test('[GRACE-1] ends the visitor’s chat at once', async () => {
    const { ann, vera, room } = await talking()
    const from = Date.now()
    vera.close()
    expect(await ann.told('visitor_leave')).toMatchObject({ room, user: { id: 'vera' } })
    await sue.told('visitor_leave_chat_for_supervisor', (data) => data.room === room)
    await sue.told('visitor_goes_offline', ({ user }) => user.id === 'vera')
    expect(Date.now() - from).toBeLessThan(GRACE_MS)
    expect((await acme.events(room)).at(-1)).toMatchObject({ type: 'ChatClosed', data: { reason: 'visitor-disconnected' }, by: 'system' })
  })

  test('[GRACE-1] takes an unclaimed chat from the queue at once', async () => {
    const { visitor, room } = await acme.chat('vera', sue)
    visitor.close()
    expect(await sue.told('visitor_leave_queue')).toMatchObject({ room, user: { id: 'vera' } })
  })

  test('[GRACE-2] ends all chats of a staff member, and each visitor is told', async () => {
    const ann = await acme.join('agent', 'ann')
    const chats = await Promise.all(['v1', 'v2', 'v3'].map((id) => acme.chat(id, sue)))
    for (const { room } of chats) await ann.ask('staff_join', { room })
    ann.close()
    for (const { visitor, room } of chats) {
      expect(await visitor.told('staff_leave')).toMatchObject({ room, user: { id: 'ann' } })
      await sue.told('staff_leave_chat_for_supervisor', (data) => data.room === room)
    }
    expect(await chats[0]?.visitor.ask('visitor_first_msg', { text: 'again' }), 'on the same socket').toEqual([true, null])
  })

  test('[GRACE-3] ends nothing while its owner has another one', async () => {
    const { ann, vera } = await talking()
    const tab = await acme.join('agent', 'ann')
    ann.close()
    await acme.fence(sue)
    expect(await vera.ask('visitor_msg', { text: 'still there?' })).toEqual([true, null])
    await tab.told('visitor_send')
    expect(vera.all('staff_leave')).toEqual([])
  })
})

describe.each(['websocket', 'polling'] as const)('a connection that is lost, over %s', (transport) => {
  test('[GRACE-4] and comes back in time was never gone: nobody hears of it', async () => {
    const { ann, vera, room, options } = await talking(transport)
    await lose(ann)
    await lose(vera)
    const back = await acme.join('visitor', 'vera', options)
    const annAgain = await acme.join('agent', 'ann', options)
    // A later loss that ends is the proof that the first grace is over too.
    const late = await acme.join('visitor', 'late')
    await lose(late)
    await sue.told('visitor_goes_offline', ({ user }) => user.id === 'late')
    expect(await back.ask('visitor_msg', { text: 'I am back' })).toEqual([true, null])
    await annAgain.told('visitor_send', ({ content }) => content.text === 'I am back')
    expect(await annAgain.ask('staff_msg', { room, content: { text: 'so am I' } })).toEqual([true, null])
    await back.told('staff_send')
    const about = sue.heard.filter(({ data }) => ['ann', 'vera'].includes(data.user?.id)).map(({ name }) => name)
    expect(about).toEqual([
      'staff_goes_online',
      'visitor_goes_online',
      'append_unclaimed_chats',
      'staff_claim_chat',
      'agent_new_chat',
      'new_visitor_msg_for_supervisor',
      'new_staff_msg_for_supervisor',
    ])
  })

  test('[GRACE-5] and does not come back ends the chats when the grace is over, not before', async () => {
    const { ann, vera, room } = await talking(transport)
    const from = Date.now()
    await lose(vera)
    await sue.told('visitor_leave_chat_for_supervisor', (data) => data.room === room)
    expect(Date.now() - from).toBeGreaterThanOrEqual(GRACE_MS)
    await ann.told('visitor_leave')
    await sue.told('visitor_goes_offline', ({ user }) => user.id === 'vera')
  })
})

test('[GRACE-5] a lost agent’s visitor is told when the grace is over', async () => {
  const { ann, vera, room } = await talking()
  await lose(ann)
  expect(await vera.told('staff_leave')).toMatchObject({ room, user: { id: 'ann' } })
  await sue.told('staff_goes_offline', ({ user }) => user.id === 'ann')
})

test('[GRACE-6] whoever is lost is still shown as online until the grace is over', async () => {
  const ann = await acme.join('agent', 'ann')
  await lose(ann)
  const { online_users } = await (await acme.join('agent', 'bob')).told('staff_init')
  expect(online_users.map(({ id }: { id: string }) => id)).toEqual(['sue', 'ann', 'bob'])
  await sue.told('staff_goes_offline', ({ user }) => user.id === 'ann')
})

test('[GRACE-7] whoever hangs up before being let in does not stay online', async () => {
  const auth = { token: await tokenFor('visitor', 'hasty', acme.org) }
  const first = await acme.join('visitor', 'hasty')
  for (let i = 0; i < 20; i++) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.send(`40${JSON.stringify(auth)}`)
    socket.close()
  }
  first.close()
  await sue.told('visitor_goes_offline', ({ user }) => user.id === 'hasty')
})
