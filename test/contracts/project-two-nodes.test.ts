import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spawnEventStore } from '../support/eventstore-standin-process.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { openPage, type Studio, studio } from '../support/studio.ts'

let eventStore: Awaited<ReturnType<typeof spawnEventStore>>
let redis: Awaited<ReturnType<typeof startRedis>>
let nodes: TestServer[]
let files: string
let here: Studio
let there: Studio
beforeAll(async () => {
  ;[eventStore, redis] = await Promise.all([spawnEventStore(), startRedis()])
  files = await mkdtemp(join(tmpdir(), 'lyceum-files-'))
  const env = { EVENTSTORE_URL: eventStore.url, REDIS_URL: redis.url, FILES_URL: pathToFileURL(files).href }
  nodes = await Promise.all([startServer({ env }), startServer({ env })])
  const [first, second] = nodes as [TestServer, TestServer] // two were started
  here = studio(first)
  there = studio(second, here.org)
})
afterAll(async () => {
  here.close()
  there.close()
  await Promise.all(nodes.map((node) => node.stop()))
  await Promise.all([eventStore.stop(), redis.stop()])
  await rm(files, { recursive: true, force: true })
})

test('[PROJECT-41] people on two nodes are in one project; files too', async () => {
  const project = await here.project('P', 'owen', 'eve')
  expect(await there.numberOf('eve')).toBe(await here.numberOf('eve'))
  const [owen, eve] = [await here.socket('owen'), await there.socket('eve')]
  for (const one of [owen, eve]) expect((await one.ask('join_project', { project_id: project }))[0]).toBe(true)
  await owen.ask('send_message', { project_id: project, file_name: 'a.txt', file_base64: 'aGk=' })
  expect(await eve.told('receive_message')).toMatchObject({ id: 1, file_base64: 'aGk=' })
  await eve.ask('send_message', { project_id: project, content: 'yes' })
  expect(await owen.told('receive_message', ({ id }) => id === 2)).toMatchObject({ content: 'yes' })
  await here.ask('owen', 'DELETE', `/projects/${project}/participants/${await here.numberOf('eve')}`)
  expect((await eve.told('error')).code).toBe('not-a-participant')
})

test('[ORDER-5] [PROJECT-41] who leaves on one node hears what was said before on another', async () => {
  const project = await here.project('P', 'owen', 'eve')
  const owen = await here.socket('owen')
  for (let n = 0; n < 20; n++) {
    const eve = await there.socket('eve')
    await eve.ask('join_project', { project_id: project })
    await owen.ask('send_message', { project_id: project, content: `${n}` })
    await eve.ask('leave_project', { project_id: project })
    expect(eve.all('receive_message').map(({ content }) => content)).toEqual([`${n}`])
    eve.close()
  }
})

test('[PROJECT-41] [PROJECT-30] many who come at once to two nodes have one number each, projects too', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `p${n}`)
  const both = await Promise.all(ids.map((id) => Promise.all([here.numberOf(id), there.numberOf(id)])))
  for (const [one, two] of both) expect(one).toBe(two)
  expect(new Set(both.map(([one]) => one)).size).toBe(ids.length)
  const made = await Promise.all(ids.map((id, n) => (n % 2 === 0 ? here : there).project('P', id)))
  expect(new Set(made).size).toBe(ids.length)
})

test('[PROJECT-41] a stream goes on on another node, with the ticket that opened it', async () => {
  const project = await here.project('P', 'owen', 'eve')
  const { ticket } = (await here.ask('eve', 'POST', '/users/stream-ticket', {})).body.data
  const page = await openPage(`${nodes[0]?.url}/api/v1/users/stream/${ticket}`)
  await here.ask('owen', 'PATCH', `/projects/${project}`, { title: 'one' })
  await page.message(/one/)
  page.close()
  await here.ask('owen', 'PATCH', `/projects/${project}`, { title: 'two' })
  await there.ask('owen', 'PATCH', `/projects/${project}`, { title: 'three' })
  const again = await openPage(`${nodes[1]?.url}/api/v1/users/stream/${ticket}`, page.ids.at(-1))
  await again.message(/three/)
  expect(again.told.map(({ data }) => data.project_title)).toEqual(['two', 'three'])
  again.close()
})
