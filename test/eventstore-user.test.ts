import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createServer as createTls, type Server } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { makeAuthority } from './support/eventstore-standin-tls.ts'
import { aServer } from './support/eventstore-standin-world.ts'
import { run } from './support/run.ts'

const SCRIPT = join(import.meta.dirname, '../scripts/eventstore-user.ts')

interface Made {
  readonly by: string | undefined
  readonly user: unknown
}

/** A real server speaks HTTP/1.1 and HTTP/2 at one port. The stand-in knows the latter only: this one is before it. */
async function aServerWithUsers() {
  const authority = await makeAuthority()
  const store = await aServer()
  const made: Made[] = []
  const http = createHttp(async (asked: IncomingMessage, response) => {
    const user = JSON.parse(await text(asked))
    const isThere = made.some((one) => JSON.stringify(one.user) === JSON.stringify(user))
    if (!isThere) made.push({ by: asked.headers.authorization, user })
    response.writeHead(asked.url === '/users/' && asked.method === 'POST' ? (isThere ? 409 : 201) : 404).end()
  })
  const { key, chain: cert } = await authority.certificate('IP:127.0.0.1')
  const front: Server = createTls({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2') socket.pipe(connect(store.port, '127.0.0.1').on('error', () => {})).pipe(socket)
    else http.emit('connection', socket)
  })
  await new Promise<void>((listening) => front.listen(0, '127.0.0.1', listening))
  onTestFinished(async () => {
    front.close()
    await authority.remove()
  })
  const { port } = front.address() as AddressInfo
  const url = `esdb://admin:s%40crt@127.0.0.1:${port}?tlsCAFile=${encodeURIComponent(authority.caFile)}`
  const acls = () =>
    store.store.all
      .filter(({ stream }) => stream === '$$$all')
      .map(({ data }) => JSON.parse(Buffer.from(data).toString()))
  return { url, made, acls }
}

test('makes the user in their group, lets the group read $all, and may be repeated', async () => {
  const { url, made, acls } = await aServerWithUsers()
  const env = { EVENTSTORE_ADMIN_URL: url, NEW_PASSWORD: 'new' }
  const [first, again, other] = [
    await run(SCRIPT, ['lyceum'], env),
    await run(SCRIPT, ['lyceum'], env),
    await run(SCRIPT, ['reports', 'readers'], env),
  ]
  expect(first).toMatchObject({ code: 0, out: 'lyceum is made; lyceum may read $all\n' })
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('lyceum was there already') })
  expect(other).toMatchObject({ code: 0, out: 'reports is made; readers may read $all\n' })
  expect(made[0]).toEqual({
    by: `Basic ${Buffer.from('admin:s@crt').toString('base64')}`,
    user: { loginName: 'lyceum', fullName: 'lyceum', groups: ['lyceum'], password: 'new' },
  })
  const ours = { $acl: { $r: ['$admins', 'lyceum'] } }
  expect(acls()).toEqual([ours, ours, { $acl: { $r: ['$admins', 'lyceum', 'readers'] } }])
})

test('says what it needs', async () => {
  const { code, err } = await run(SCRIPT, [])
  expect(code).toBe(1)
  expect(err).toContain('EVENTSTORE_ADMIN_URL=esdb://admin:<password>@host:2113')
})
