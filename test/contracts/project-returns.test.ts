import { Manager, type Socket } from 'socket.io-client'
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
async function away(id: string): Promise<Away> {
  const line = await openLine(server.url)
  const client = await connect(`${line.url}/ws/messages`, {
    ...{ auth: { token: await it.token('agent', id) }, query: { resume: '1' } },
    ...{ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 1_000 },
  })
  onTestFinished(async () => {
    client.close()
    await line.close()
  })
  const returns = async (mend: () => void): Promise<void> => {
    const back = new Promise((came) => client.socket.once('connect', () => came(null)))
    mend()
    await back
  }
  return {
    ...client,
    heard: client.heard,
    async while(done) {
      const gone = new Promise((left) => client.socket.once('disconnect', left))
      line.down()
      await gone
      await done()
      await returns(() => line.mend())
    },
    async halfOpen(done) {
      line.freeze()
      await done()
      await returns(() => {
        line.drop()
        line.mend()
      })
    },
  }
}

interface Away extends Client {
  while(done: () => Promise<unknown>): Promise<void>
  /** What the server sends meanwhile is lost, and it does not know. */
  halfOpen(done: () => Promise<unknown>): Promise<void>
}

const says = (from: Client, content: string) => from.ask('send_message', { project_id: project, content })
const heardBy = ({ heard }: Client) => heard.filter(({ name }) => name === 'receive_message' || name === 'error')

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

const HOW = ['removed', 'removed and added again', 'deleted']
test.each([...HOW.map((how) => [how, 'while'] as const), ...HOW.map((how) => [how, 'halfOpen'] as const)])(
  '[RESUME-8] [RESUME-11] who is %s while away (%s) hears what was said until then, as those who were there',
  async (how, line) => {
    const [eve, there, owen] = [await away('eve'), await joined('eve'), await joined('owen')]
    await eve.ask('join_project', { project_id: project })
    const user_id = await it.numberOf('eve')
    const participants = `/projects/${project}/participants`
    await says(owen, 'zero')
    await eve.told('receive_message')
    await eve[line](async () => {
      for (const content of ['one', 'two']) await says(owen, content)
      if (how === 'deleted') await it.ask('owen', 'DELETE', `/projects/${project}`)
      else await it.ask('owen', 'DELETE', `${participants}/${user_id}`)
      await says(owen, 'three')
      if (how === 'removed and added again') await it.ask('owen', 'POST', participants, { user_id })
    })
    for (const client of [eve, there]) await client.told('error')
    await says(owen, 'four')
    expect(heardBy(eve)).toEqual(heardBy(there))
    // Once.
    await eve.while(async () => {})
    const told = heardBy(there).length
    await eve.ask('send_message', { project_id: 99_999, content: 'x' }) // is refused, which is told behind it
    await expect.poll(() => heardBy(eve).length).toBe(told + 1)
    expect(heardBy(eve).slice(0, -1)).toEqual(heardBy(there))
    expect(contents(eve)).toEqual(['zero', 'one', 'two'])
  },
)

test('[RESUME-8] that it is over is told where it was over, before what came later elsewhere', async () => {
  const other = await it.project('Other', 'owen', 'eve')
  const [eve, there, owen] = [await away('eve'), await joined('eve'), await joined('owen')]
  for (const one of [eve, there, owen]) await one.ask('join_project', { project_id: other })
  await eve.ask('join_project', { project_id: project })
  const elsewhere = (content: string) => owen.ask('send_message', { project_id: other, content })
  await eve.while(async () => {
    await says(owen, 'one')
    await elsewhere('two')
    await it.ask('owen', 'DELETE', `/projects/${project}/participants/${await it.numberOf('eve')}`)
    await elsewhere('three')
    await says(owen, 'unheard')
    await elsewhere('four')
  })
  for (const one of [eve, there]) await one.told('receive_message', ({ content }) => content === 'four')
  expect(heardBy(eve)).toEqual(heardBy(there))
})

test('[RESUME-8] nothing is told of what was said before somebody joined, however old their cursor is', async () => {
  const [eve, owen] = [await away('eve'), await joined('owen')]
  await says(owen, 'before')
  for (const content of ['joined', 'joined again']) {
    const goes = new Promise((left) => eve.socket.once('disconnect', left))
    await eve.ask('join_project', { project_id: project })
    eve.socket.io.engine.close()
    await goes
    await says(owen, content)
    await eve.told('receive_message', (said) => said.content === content)
    await eve.ask('leave_project', { project_id: project })
    await says(owen, 'between')
  }
  expect(contents(eve)).toEqual(['joined', 'joined again'])
})

test('[RESUME-8] whoever joins again as soon as they are back, as pages do, has missed nothing', async () => {
  const owen = await joined('owen')
  for (let round = 0; round < 5; round++) {
    const eve = await away('eve')
    await eve.ask('join_project', { project_id: project })
    eve.socket.on('connect', () => eve.socket.emit('join_project', { project_id: project }))
    const said: string[] = []
    for (const line of ['while', 'halfOpen'] as const)
      await eve[line](async () => {
        for (const content of [`${line} 1`, `${line} 2`]) await says(owen, content)
        said.push(`${line} 1`, `${line} 2`)
      })
    await says(owen, 'last')
    await eve.told('receive_message', ({ content }) => content === 'last')
    expect(contents(eve)).toEqual([...said, 'last'])
    eve.close()
  }
})

test('[RESUME-8] who leaves as soon as they are back is out', async () => {
  const owen = await joined('owen')
  for (let round = 0; round < 8; round++) {
    const eve = await away('eve')
    await eve.ask('join_project', { project_id: project })
    eve.socket.once('disconnect', () => eve.socket.emit('leave_project', { project_id: project })) // when it is back
    await eve.while(async () => {})
    await eve.ask('leave_project', { project_id: project })
    await says(owen, 'unheard')
    await eve.ask('join_project', { project_id: project })
    await says(owen, 'heard')
    await eve.told('receive_message')
    expect(contents(eve)).toEqual(['heard'])
  }
})

test('[RESUME-2] a file that was heard is not told again', async () => {
  const [eve, owen] = [await away('eve'), await joined('owen')]
  await eve.ask('join_project', { project_id: project })
  await owen.ask('send_message', { project_id: project, file_name: 'a.txt', file_base64: 'aGk=' })
  await eve.told('receive_message')
  for (let round = 0; round < 2; round++) await eve.while(async () => {})
  await says(owen, 'last')
  await eve.told('receive_message', ({ content }) => content === 'last')
  expect(contents(eve)).toEqual([null, 'last'])
})

test('[RESUME-11] who leaves the namespace while they are told, and comes again on the line, hears all', async () => {
  const [owen, token] = [await joined('owen'), await it.token('agent', 'eve')]
  const manager = new Manager(server.url, { query: { resume: '1' }, reconnection: false, autoConnect: false })
  onTestFinished(() => manager._close())
  const [other, eve] = ['/', '/ws/messages'].map((nsp) => manager.socket(nsp, { auth: { token } })) as [Socket, Socket]
  const heard: unknown[] = []
  eve.on('receive_message', ({ content }) => heard.push(content))
  const comes = (socket: Socket) => new Promise<void>((came) => socket.once('connect', came).connect())
  await comes(other) // keeps the connection open
  await comes(eve)
  await eve.emitWithAck('join_project', { project_id: project })
  const said = Array.from({ length: 150 }, (_, n) => `${n}`)
  await Promise.all(said.map((content) => says(owen, content)))
  await expect.poll(() => heard.length).toBe(150)
  for (let round = 0; round < 3; round++) {
    ;(eve as unknown as { _lastOffset: string })._lastOffset = '0' // as if it had heard nothing yet
    eve.disconnect()
    await other.emitWithAck('staff_join', {}) // Socket.IO ends a connection on which somebody comes as they go
    await comes(eve)
  }
  heard.length = 0
  await eve.emitWithAck('join_project', { project_id: project })
  await says(owen, 'last')
  await expect.poll(() => heard.at(-1)).toBe('last')
})

test('[ORDER-5] [PROJECT-1] who leaves hears what was said before, by them and by others, files too', async () => {
  const owen = await joined('owen')
  for (let round = 0; round < 5; round++) {
    const eve = await it.socket('eve')
    const answers = Promise.all([
      eve.ask('join_project', { project_id: project }),
      eve.ask('send_message', { project_id: project, content: 'hers' }),
      eve.ask('leave_project', { project_id: project }),
      eve.ask('join_project', { project_id: project }),
    ])
    for (const answer of await answers) expect(answer[0]).toBe(true)
    expect(contents(eve)).toEqual(['hers'])
    const file_base64 = Buffer.alloc(1_500_000, 'x').toString('base64')
    await owen.ask('send_message', { project_id: project, file_name: 'a.txt', file_base64 })
    await eve.ask('leave_project', { project_id: project })
    await owen.ask('send_message', { project_id: project, content: 'unheard' })
    expect(contents(eve)).toEqual(['hers', null])
    eve.close()
  }
})
