import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Client } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { type Company, company } from './company.ts'

const GRACE_MS = slowly(1_500)
let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: String(GRACE_MS) } })
})
afterAll(() => server.stop())

async function sockets(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(/^lyceum_sockets (\d+)/m.exec(text)?.[1])
}

/** The connections break: no Socket.IO packet says why. Resolves when the server has noticed. */
async function lose(...clients: readonly Client[]): Promise<void> {
  const before = await sockets()
  for (const { socket } of clients) socket.io.engine.close()
  await vi.waitUntil(async () => (await sockets()) <= before - clients.length, { interval: 10, timeout: PATIENCE_MS })
}

describe.each(['websocket', 'polling'] as const)('three chats lose connections over %s', (transport) => {
  let acme: Company
  let sue: Client
  let bob: Client
  let val: Client
  const rooms: Record<string, string> = {}
  let lostAt: number
  let online: string[]

  /** Ann and Vera both come back; Vic does not, and Cat, who serves Val, does not. */
  beforeAll(async () => {
    acme = company(server, transport)
    sue = await acme.join('supervisor', 'sue')
    const [ann, cat] = await Promise.all([acme.join('agent', 'ann'), acme.join('agent', 'cat')])
    bob = await acme.join('agent', 'bob')
    const chats: Client[] = []
    for (const [id, server] of [
      ['vera', ann],
      ['vic', bob],
      ['val', cat],
    ] as const) {
      const { visitor, room } = await acme.chat(id, sue)
      await server.ask('staff_join', { room })
      rooms[id] = room
      chats.push(visitor)
    }
    const [vera, vic] = chats as [Client, Client]
    val = chats[2] as Client
    lostAt = Date.now()
    await lose(ann, cat, vera, vic)
    const [veraAgain, annAgain] = await Promise.all([acme.join('visitor', 'vera'), acme.join('agent', 'ann')])
    const { online_users } = await annAgain.told('staff_init')
    online = online_users.map(({ id }: { id: string }) => id)
    await sue.told('visitor_goes_offline', ({ user }) => user.id === 'vic')
    await sue.told('staff_goes_offline', ({ user }) => user.id === 'cat')
    // The grace of Ann and Vera, which began with that of the others, is over too.
    expect(await veraAgain.ask('visitor_msg', { text: 'I am back' })).toEqual([true, null])
    await annAgain.told('visitor_send')
    expect(await annAgain.ask('staff_msg', { room: rooms.vera, content: { text: 'so am I' } })).toEqual([true, null])
    await veraAgain.told('staff_send')
    await acme.fence(sue)
  })
  afterAll(() => acme.close())

  test('[GRACE-4] nobody hears of those who come back in time', () => {
    const about = sue.heard.filter(({ data }) => ['ann', 'vera'].includes(data.user?.id)).map(({ name }) => name)
    const whole = [
      'staff_goes_online',
      'visitor_goes_online',
      'append_unclaimed_chats',
      'staff_claim_chat',
      'agent_new_chat',
    ]
    expect(about).toEqual([...whole, 'new_visitor_msg_for_supervisor', 'new_staff_msg_for_supervisor'])
  })

  test('[GRACE-5] the chat of a visitor who does not come back ends when the grace is over, not before', async () => {
    expect(bob.all('visitor_leave')).toMatchObject([{ room: rooms.vic, user: { id: 'vic' } }])
    const closed = (await acme.events(rooms.vic as string)).at(-1)
    expect(closed).toMatchObject({ type: 'ChatClosed', data: { reason: 'visitor-disconnected' } })
    expect(closed.at - lostAt).toBeGreaterThanOrEqual(GRACE_MS)
  })

  test('[GRACE-5] the visitor of an agent who does not come back is told so', async () => {
    expect(val.all('staff_leave')).toMatchObject([{ room: rooms.val, user: { id: 'cat' } }])
    expect((await acme.events(rooms.val as string)).at(-1).at - lostAt).toBeGreaterThanOrEqual(GRACE_MS)
  })

  test('[GRACE-6] whoever is lost is shown as online until then', () => {
    expect(online.sort()).toEqual(['ann', 'bob', 'cat', 'sue'])
  })
})

test('[GRACE-7] whoever hangs up before being let in does not stay online', async () => {
  const acme = company(server)
  const sue = await acme.join('supervisor', 'sue')
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
  acme.close()
})
