import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Client, connect } from '../support/client.ts'
import { openLine } from '../support/line.ts'
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
  project = await it.project('Bridge', 'owen', 'eve', 'cody')
})
afterEach(() => it.close())

const joined = async (id: string): Promise<Client> => {
  const client = await it.socket(id)
  expect(await client.ask('join_project', { project_id: project })).toEqual([true, null])
  return client
}
const contents = (client: Client): (string | null)[] => client.all('receive_message').map(({ content }) => content)

/** A client with `resume=1` behind a line, which is down while something is done. */
async function away(id: string): Promise<Client & { while(done: () => Promise<unknown>): Promise<void> }> {
  const line = await openLine(server.url)
  const client = await connect(`${line.url}/ws/messages`, {
    ...{ auth: { token: await it.token('agent', id) }, query: { resume: '1' } },
    ...{ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 1_000 },
  })
  onTestFinished(async () => {
    client.close()
    await line.close()
  })
  return {
    ...client,
    heard: client.heard,
    async while(done) {
      const gone = new Promise((left) => client.socket.once('disconnect', left))
      line.down()
      await gone
      await done()
      line.mend()
    },
  }
}

test('[RESUME-8] a client with resume=1 is told what it has missed in a project, files too', async () => {
  const [eve, owen] = [await away('eve'), await joined('owen')]
  await eve.ask('join_project', { project_id: project })
  await eve.while(async () => {
    await owen.ask('send_message', { project_id: project, content: 'one' })
    await owen.ask('send_message', { project_id: project, file_name: 'a.txt', file_base64: 'aGk=' })
    await owen.ask('send_message', { project_id: project, content: 'not hers', receiver_id: await it.numberOf('cody') })
  })
  await eve.told('receive_message', ({ file_base64 }) => file_base64 === 'aGk=')
  await owen.ask('send_message', { project_id: project, content: 'two' })
  await eve.told('receive_message', ({ content }) => content === 'two')
  expect(contents(eve)).toEqual(['one', null, 'two'])
  expect(eve.socket.recovered).toBe(true)
})

test.each(['removed', 'removed and added again', 'deleted'])(
  '[RESUME-8] who is taken out while away hears what was said until then, as those who were there: %s',
  async (how) => {
    const [eve, there, owen] = [await away('eve'), await joined('eve'), await joined('owen')]
    await eve.ask('join_project', { project_id: project })
    const user_id = await it.numberOf('eve')
    const participants = `/projects/${project}/participants`
    const says = (content: string) => owen.ask('send_message', { project_id: project, content })
    await says('zero')
    await eve.told('receive_message')
    await eve.while(async () => {
      for (const content of ['one', 'two']) await says(content)
      if (how === 'deleted') await it.ask('owen', 'DELETE', `/projects/${project}`)
      else await it.ask('owen', 'DELETE', `${participants}/${user_id}`)
      await says('three')
      if (how === 'removed and added again') await it.ask('owen', 'POST', participants, { user_id })
    })
    for (const client of [eve, there]) await client.told('error')
    await says('four')
    await owen.ask('leave_project', { project_id: project })
    const heard = (client: Client) => client.heard.filter(({ name }) => name === 'receive_message' || name === 'error')
    expect(heard(eve)).toEqual(heard(there))
    expect(contents(eve)).toEqual(['zero', 'one', 'two'])
  },
)
