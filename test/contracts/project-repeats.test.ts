import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Studio, studio } from '../support/studio.ts'

let server: TestServer
let it: Studio
let project: number
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  it = studio(server)
  project = await it.project('Bridge', 'owen', 'eve', 'sam')
})
afterEach(() => it.close())

const joined = async (id: string): Promise<Client> => {
  const client = await it.socket(id)
  expect(await client.ask('join_project', { project_id: project })).toEqual([true, null])
  return client
}

test('[PROJECT-7] a named message is answered alike again when its sender may send no more', async () => {
  const eve = await joined('eve')
  const text = { project_id: project, content: 'once', client_id: 'c1' }
  const file = { project_id: project, file_name: 'a.txt', file_base64: 'aGk=', client_id: 'c2' }
  for (const message of [text, file]) expect(await eve.ask('send_message', message)).toEqual([true, null])
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${await it.numberOf('eve')}`)
  for (const message of [text, file]) expect(await eve.ask('send_message', message)).toEqual([true, null])
  expect((await eve.ask('send_message', { ...text, content: 'other' }))[1]).toMatch(/^client-id-reused/)
  expect((await eve.ask('send_message', { ...text, client_id: 'c3' }))[0]).toBe(false)
  const [eves, sams] = [await it.numberOf('eve'), await it.numberOf('sam')]
  expect(await eve.ask('send_message', { ...text, sender_id: eves })).toEqual([true, null])
  expect((await eve.ask('send_message', { ...text, sender_id: sams }))[0]).toBe(false)
  expect((await it.ask('owen', 'GET', `/projects/${project}/messages`)).body.data).toHaveLength(2)
})

test('[PROJECT-4] whoever takes no part is not answered as if they had left', async () => {
  const zoe = await it.socket('zoe')
  expect(await zoe.ask('leave_project', { project_id: project })).toEqual([false, expect.stringMatching(/not-a-part/)])
  expect(await zoe.ask('leave_project', { project_id: 999_999 })).toEqual([false, expect.stringMatching(/no-such-pr/)])
})
