import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RoomName } from '../../src/delivery/notice.ts'
import { type Company, company } from '../contracts/company.ts'
import { type Client, connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let acme: Company
/** Goes on where it was: Socket.IO's own room of each such connection is used to push to it. */
let ann: Client
beforeAll(async () => {
  server = await startServer()
  acme = company(server)
  ann = await acme.join('agent', 'ann', { query: { resume: '1' } })
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

/** Somebody of an organisation with this name; a hub, or an app. */
const of = async (org: string, id: string, product_type = ''): Promise<Client> =>
  connect(server.url, { query: { auth: await tokenFor('teacher', id, org), product_type } })

/** An id that a stranger's identity provider may give to anything of theirs. */
const names = (): readonly string[] => [
  ann.socket.id ?? '',
  acme.org,
  'staff',
  'hub',
  'person',
  'agents',
  'course_room',
]

test('[WALL-5] who looks on for an organisation called like a socket or a room hears nothing of others', async () => {
  const hubs = await Promise.all(names().map((org) => of(org, 'mallory', 'manager')))
  const { visitor, room } = await acme.chat('vera', ann)
  expect(await ann.ask('staff_join', { room })).toEqual([true, null])
  expect(await visitor.ask('visitor_msg', { text: 'secret' })).toEqual([true, null])
  await ann.told('visitor_send')
  await acme.fence(ann)
  for (const hub of hubs) {
    await hub.ask('staff_join', { room }) // whatever was told before is heard by now
    expect(hub.heard).toEqual([])
    hub.close()
  }
})

test('[WALL-5] what such an organisation is told reaches nobody else', async () => {
  const heard = ann.heard.length
  const orgs = names().filter((org) => org !== acme.org)
  for (const org of orgs) {
    const hub = await of(org, 'hanna', 'manager')
    const teacher = await of(org, 'tom')
    expect(await hub.told('teacher_login')).toMatchObject({ user_id: 'tom' })
    for (const client of [hub, teacher]) client.close()
  }
  await ann.ask('staff_join', { room: 'nowhere' })
  expect(ann.heard.slice(heard).map(({ name }) => name)).not.toContain('teacher_login')
})

test('a room without a kind in front of its name does not build', () => {
  // @ts-expect-error: this could be the id of anything, a socket's too
  const bare: RoomName = 'acme'
  expect(bare).not.toContain(' ')
})
