import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { type Studio, studio } from '../support/studio.ts'

let server: TestServer
let it: Studio
let project: number
beforeAll(async () => {
  server = await startServer({
    env: { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000', LYCEUM_TIME_ZONE: 'UTC' },
  })
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  it = studio(server)
  project = await it.project('Bridge', 'owen', 'eve', 'cody')
})
afterEach(() => it.close())

const joined = async (id: string, options = {}): Promise<Client> => {
  const client = await it.socket(id, 'agent', options)
  expect(await client.ask('join_project', { project_id: project })).toEqual([true, null])
  return client
}
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const contents = (client: Client): (string | null)[] => client.all('receive_message').map(({ content }) => content)

describe.each(['websocket', 'polling'])('over %s', (transport) => {
  const options = { transports: [transport] }

  test('[PROJECT-1] what is said in a project reaches all who have joined it, the sender included', async () => {
    const [owen, eve, cody] = [await joined('owen', options), await joined('eve', options), await it.socket('cody')]
    expect(await owen.ask('send_message', { project_id: project, content: 'Hello' })).toEqual([true, null])
    const told = await eve.told('receive_message')
    expect(told).toEqual({
      ...{ id: 1, project_id: project, content: 'Hello', file_name: null, file_base64: null, receiver: null },
      created_at: expect.stringMatching(/^\d\d\/\d\d\/\d{4}, \d\d:\d\d$/),
      sender: {
        id: await it.numberOf('owen'),
        ...{ email: 'owen@studio.example', first_name: '', last_name: '', username: 'owen' },
      },
      ...{ seq: expect.any(Number), pos: expect.any(String) },
    })
    expect(await owen.told('receive_message')).toEqual(told)
    await eve.ask('send_message', { project_id: project, content: 'Hi', sender_id: await it.numberOf('eve') })
    expect((await owen.told('receive_message', ({ content }) => content === 'Hi')).id).toBe(2)
    expect(cody.heard).toEqual([])
    await eve.ask('leave_project', { project_id: project })
    await owen.ask('send_message', { project_id: project, content: 'Gone?' })
    await owen.told('receive_message', ({ content }) => content === 'Gone?')
    expect(contents(eve)).toEqual(['Hello', 'Hi'])
  })

  test('[PROJECT-2] what is said to one reaches the sockets of the two alone', async () => {
    const [owen, eve, cody] = [await joined('owen', options), await joined('eve', options), await joined('cody')]
    const second = await joined('eve', options)
    const receiver_id = await it.numberOf('eve')
    expect(await owen.ask('send_message', { project_id: project, content: 'psst', receiver_id })).toEqual([true, null])
    for (const one of [owen, eve, second])
      expect(await one.told('receive_message')).toMatchObject({ content: 'psst', receiver: { id: receiver_id } })
    await owen.ask('send_message', { project_id: project, content: 'all' })
    for (const one of [owen, eve, second, cody]) await one.told('receive_message', ({ content }) => content === 'all')
    expect(contents(cody)).toEqual(['all'])
    expect(contents(owen)).toEqual(['psst', 'all'])
    const asCody = (await it.ask('cody', 'GET', `/projects/${project}/messages`)).body.data
    expect(asCody.map(({ content, id }: Record<string, unknown>) => [id, content])).toEqual([[2, 'all']])
    const asEve = (await it.ask('eve', 'GET', `/projects/${project}/messages`)).body.data
    expect(asEve.map(({ content }: Record<string, unknown>) => content)).toEqual(['psst', 'all'])
  })
})

test('[PROJECT-3] [PROJECT-24] a file comes as bare base64 however it was sent, and can be downloaded', async () => {
  const [owen, eve] = [await joined('owen'), await joined('eve')]
  const base64 = PNG.toString('base64')
  const file = { file_name: '../up\u202e/dot.png', file_base64: `data:image/png;base64,${base64}` }
  expect(await owen.ask('send_message', { project_id: project, ...file })).toEqual([true, null])
  const told = await eve.told('receive_message')
  expect(told).toMatchObject({ content: null, file_name: 'dot.png', file_base64: base64 })
  expect(told).not.toHaveProperty('file')
  await eve.ask('send_message', { project_id: project, content: 'Both', file_name: 'a.TXT', file_base64: 'aGVsbG8' })
  const both = await owen.told('receive_message', ({ id }) => id === 2)
  expect(both).toMatchObject({ content: 'Both', file_name: 'a.TXT', file_base64: 'aGVsbG8=' })
  const download = (id: string, message: number) =>
    it.token('agent', id).then((token) =>
      fetch(`${server.url}/api/v1/projects/${project}/files/${message}`, {
        headers: { authorization: `Bearer ${token}` },
      }),
    )
  const got = await download('cody', 1)
  expect(Buffer.from(await got.arrayBuffer())).toEqual(PNG)
  expect(Object.fromEntries(got.headers)).toMatchObject({
    ...{ 'content-type': 'image/png', 'x-content-type-options': 'nosniff', 'content-length': String(PNG.length) },
    'content-disposition': `attachment; filename="dot.png"; filename*=UTF-8''dot.png`,
  })
  expect((await download('nobody', 1)).status).toBe(403)
  expect((await download('owen', 3)).status).toBe(404)
})

test.each(['websocket', 'polling'])(
  '[PROJECT-3] [PROJECT-6] five megabytes go through in their order, more do not (%s)',
  async (transport) => {
    const [owen, eve] = [await joined('owen', { transports: [transport] }), await joined('eve')]
    const most = Buffer.alloc(5 * 1024 * 1024, 'lorem ipsum ')
    const send = (content: string, bytes?: Buffer) =>
      owen.ask('send_message', {
        ...{ project_id: project, content },
        ...(bytes ? { file_name: 'a.txt', file_base64: bytes.toString('base64') } : {}),
      })
    const acks = await Promise.all([send('before'), send('large', most), send('after'), send('last')])
    expect(acks).toEqual([1, 2, 3, 4].map(() => [true, null]))
    await eve.told('receive_message', ({ content }) => content === 'last')
    expect(contents(eve)).toEqual(['before', 'large', 'after', 'last'])
    expect(Buffer.from(eve.all('receive_message')[1].file_base64, 'base64').equals(most)).toBe(true)
    const [ok, why] = await send('more', Buffer.concat([most, Buffer.from('!')]))
    expect([ok, why]).toEqual([false, expect.stringMatching(/^bad-file: .*5242880/)])
  },
)

/** Announces a frame of four megabytes, sends some of it, and then next to nothing; masked with zeros. */
async function trickles(org: Studio, id: string): Promise<void> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  let heard = ''
  const hears = async (what: string): Promise<void> => {
    while (!heard.includes(what)) heard += String((await once(socket, 'data'))[0])
  }
  const lines = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${hostname}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${await org.token('agent', id)}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await hears('"sid"')
  const connecting = '40/ws/messages,'
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | connecting.length, 0, 0, 0, 0]), Buffer.from(connecting)]))
  await hears('40/ws/messages,{')
  const head = Buffer.alloc(14)
  head[0] = 0x81
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(4_000_000n, 2)
  socket.write(Buffer.concat([head, Buffer.alloc(300_000, 97)]))
  const trickle = setInterval(() => socket.write(Buffer.alloc(5_000, 97)), 1_000)
  onTestFinished(() => {
    clearInterval(trickle)
    socket.destroy()
  })
}

test('[PROJECT-9] large frames that come slowly, or many at once, keep nobody else waiting', async () => {
  const strangers = studio(server)
  onTestFinished(() => strangers.close())
  await Promise.all(Array.from({ length: 12 }, (_, n) => trickles(strangers, `slow${n % 3}`)))
  const [owen, eve] = [await joined('owen'), await joined('eve')]
  const file = { file_name: 'a.txt', file_base64: Buffer.alloc(3_000_000, 'lorem ipsum ').toString('base64') }
  const began = performance.now()
  const acks = [1, 2, 3].map(() => owen.ask('send_message', { project_id: project, ...file }))
  expect(await eve.ask('send_message', { project_id: project, ...file })).toEqual([true, null])
  expect(await Promise.all(acks)).toEqual([1, 2, 3].map(() => [true, null]))
  expect(performance.now() - began).toBeLessThan(slowly(8_000)) // they take for ever
})

test('[PROJECT-4] whatever is wrong is told by `error` and the ack, and nothing is recorded', async () => {
  const owen = await joined('owen')
  const stranger = await it.socket('stranger')
  const b64 = (text: string) => Buffer.from(text).toString('base64')
  const cases: readonly (readonly [Client, string, unknown, string, RegExp])[] = [
    [owen, 'send_message', { project_id: project }, 'bad-request', /content/],
    [owen, 'send_message', { project_id: project, content: '' }, 'bad-request', /content/],
    [owen, 'send_message', { content: 'x' }, 'bad-request', /project_id/],
    [owen, 'send_message', undefined, 'bad-request', /project_id/],
    [owen, 'send_message', { project_id: project, content: 'x'.repeat(16_385) }, 'bad-request', /16384/],
    [owen, 'send_message', { project_id: project, file_name: 'a.txt' }, 'bad-request', /file_base64|content/],
    [owen, 'send_message', { project_id: project, content: 'x', file_base64: 'aGk=' }, 'bad-request', /file_name/],
    [owen, 'send_message', { project_id: project, content: 'x', sender_id: 1 }, 'not-the-sender', /sender_id/],
    [owen, 'send_message', { project_id: project, content: 'x', receiver_id: 99 }, 'no-such-participant', /project/],
    [owen, 'send_message', { project_id: project, file_name: 'a.exe', file_base64: b64('x') }, 'bad-file', /\.txt/],
    [owen, 'send_message', { project_id: project, file_name: 'a.png', file_base64: b64('x') }, 'bad-file', /png/],
    [owen, 'send_message', { project_id: project, file_name: 'a.txt', file_base64: '%%%' }, 'bad-file', /base64/],
    [
      owen,
      'send_message',
      { project_id: project, file_name: 'a.txt', file_base64: PNG.toString('base64') },
      'bad-file',
      /txt/,
    ],
    [owen, 'join_project', { project_id: 999_999 }, 'no-such-project', /project/],
    [owen, 'join_project', { project_id: 'x' }, 'bad-request', /project_id/],
    [stranger, 'join_project', { project_id: project }, 'not-a-participant', /forbidden/],
    [stranger, 'send_message', { project_id: project, content: 'x' }, 'not-a-participant', /forbidden/],
  ]
  for (const [client, event, data, code, message] of cases) {
    const before = client.all('error').length
    const [ok, why] = await client.ask(event, data)
    expect([JSON.stringify(data)?.slice(0, 80), ok, String(why).split(':')[0]]).toEqual([
      JSON.stringify(data)?.slice(0, 80),
      false,
      code,
    ])
    const told = client.all('error').at(-1)
    expect(client.all('error')).toHaveLength(before + 1)
    expect(told).toEqual({ message: expect.stringMatching(message), code, event })
  }
  expect((await it.ask('owen', 'GET', `/projects/${project}/messages`)).body.data).toEqual([])
})

test('[PROJECT-4] whatever an ack of protocol 2 is about is told as its number', async () => {
  const eve = await it.socket('eve', 'agent', { query: { protocol: '2' } })
  const asked = (name: string, data: object) =>
    new Promise<unknown[]>((answer) => eve.socket.emit(name, data, (...said: unknown[]) => answer(said)))
  expect((await asked('join_project', { project_id: project }))[2]).toMatchObject({ project_id: project })
  expect((await asked('send_message', { project_id: project }))[2]).toMatchObject({ project_id: project })
  expect((await asked('leave_project', { project_id: 99_999 }))[2]).toEqual({
    ...{ project_id: 99_999, code: 'no-such-project' },
  })
})

test('[PROJECT-4] what is empty is as good as none; what is wrong is told once', async () => {
  const owen = await joined('owen')
  const message = { project_id: project, content: 'x', sender_id: '', receiver_id: '', file_name: '', file_base64: '' }
  expect(await owen.ask('send_message', message)).toEqual([true, null])
  expect(await owen.told('receive_message')).toMatchObject({ receiver: null, file_name: null })
  const [, why] = await owen.ask('send_message', { project_id: project, content: 'x', receiver_id: 1e300 })
  expect(why).toBe('bad-request: receiver_id: must be a whole number')
})

test('[PROJECT-5] a participant who is removed is out at once, and so is everybody when it is deleted', async () => {
  const [owen, eve] = [await joined('owen'), await joined('eve')]
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${await it.numberOf('eve')}`)
  expect(await eve.told('error')).toMatchObject({ code: 'not-a-participant' })
  await owen.ask('send_message', { project_id: project, content: 'secret' })
  await owen.told('receive_message')
  expect((await eve.ask('send_message', { project_id: project, content: 'x' }))[0]).toBe(false)
  expect((await eve.ask('join_project', { project_id: project }))[0]).toBe(false)
  expect(contents(eve)).toEqual([])
  await it.ask('owen', 'DELETE', `/projects/${project}`)
  expect(await owen.told('error')).toMatchObject({ event: 'join_project', code: 'no-such-project' })
  expect((await owen.ask('send_message', { project_id: project, content: 'x' }))[1]).toMatch(/^no-such-project/)
})

test('[PROJECT-6] nobody comes in without a good token, and no visitor does', async () => {
  const { connect } = await import('../support/client.ts')
  const url = `${server.url}/ws/messages`
  for (const options of [
    {},
    { auth: { token: 'bad' } },
    { extraHeaders: { Authorization: 'Bearer bad' } },
    { query: { role: 'student' } },
    { auth: { token: await it.token('visitor', 'vic') } },
  ])
    await expect(connect(url, options)).rejects.toThrow()
  const eve = await connect(url, { auth: { token: await it.token('student', 'eve') } })
  expect(await eve.ask('join_project', { project_id: project })).toEqual([true, null])
  // Of other namespaces nothing is heard or can be asked here.
  eve.socket.emit('staff_join', { room: 'x' })
  expect(await eve.ask('leave_project', { project_id: project })).toEqual([true, null])
  expect(eve.heard.map(({ name }) => name)).toEqual(['joined_project'])
  eve.close()
})

test('[PROJECT-7] a named call that is repeated happens once; frames keep their order', async () => {
  const owen = await joined('owen')
  const message = { project_id: project, content: 'once', client_id: 'c1' }
  expect(await owen.ask('send_message', message)).toEqual([true, null])
  expect(await owen.ask('send_message', message)).toEqual([true, null])
  expect((await owen.ask('send_message', { ...message, content: 'other' }))[1]).toMatch(/^client-id-reused/)
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => owen.ask('send_message', { project_id: project, content: `${n}` })),
  )
  const all = (await it.ask('eve', 'GET', `/projects/${project}/messages?limit=200`)).body.data
  expect(all.map(({ content }: { content: string }) => content)).toEqual([
    'once',
    ...Array.from({ length: 50 }, (_, n) => `${n}`),
  ])
})
