import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

/** Sends lines as they are; `body` when the server says to go on. Gives all that came until `over` did, or the end. */
function exchange(lines: readonly string[], over: RegExp, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    let rest = body
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (rest !== '' && text.startsWith('HTTP/1.1 100')) {
        socket.write(rest)
        rest = ''
      }
      if (over.test(text)) socket.destroy()
    })
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  })
}
const HOST = 'Host: localhost'
const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']

test.each(['/livez', '/readyz', '/api/v1/asyncapi.json'])(
  '[DOOR-28] GET %s of HTTP/1.0, without Host, is answered',
  async (path) => expect(await exchange([`GET ${path} HTTP/1.0`], /\r\n\r\n./)).toMatch(/^HTTP\/1\.1 200 /),
)

describe('an upgrade to what is not offered', () => {
  test.each([
    ['h2c', '/livez', h2c],
    ['h2c', '/api/v1/asyncapi.json', h2c],
    ['h2c', '/socket.io/?EIO=4&transport=polling', h2c],
    ['websocket', '/livez', ['Connection: Upgrade', 'Upgrade: websocket']],
  ])('[DOOR-28] %s of %s is answered as the request that it is', async (_, path, headers) => {
    const answer = await exchange([`GET ${path} HTTP/1.1`, HOST, ...headers], /\r\n\r\n./)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('[DOOR-28] with a bad token it is refused as one, and with a body the body is read', async () => {
    const handshake = ['GET /socket.io/?EIO=4&transport=polling HTTP/1.1', HOST, 'Authorization: bad', ...h2c]
    expect(await exchange(handshake, /"error"/)).toMatch(/^HTTP\/1\.1 401 /)
    const body = '{"org_id":"acme"}'
    const post = ['POST /api/v1/auth/visitor HTTP/1.1', HOST, ...h2c, 'Content-Type: application/json']
    const answer = await exchange([...post, `Content-Length: ${body.length}`, '', body], /access_token/)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('Expect: 100-continue', () => {
  const body = '{"title":"Algebra"}'
  const asks = (path: string, length: number, ...more: string[]) => [
    ...[`POST ${path} HTTP/1.1`, HOST, 'Expect: 100-continue', 'Content-Type: application/json'],
    ...[`Content-Length: ${length}`, ...more],
  ]

  test.each([
    ['a bad token', 401, asks('/api/v1/courses', body.length, 'Authorization: Bearer bad')],
    ['no token', 401, asks('/api/v1/courses', body.length)],
    ['a session of Engine.IO that is none', 400, asks('/socket.io/?EIO=4&transport=polling&sid=none', 5)],
  ] as const)('[DOOR-29] with %s it is refused before the body, and nothing waits for it', async (_, status, lines) => {
    const answer = await exchange(lines, /never/)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toMatch(/\r\nConnection: close\r\n/i)
  })

  test('[DOOR-29] so it is with a body that is too large, and a host that is not known', async () => {
    const token = `Authorization: Bearer ${await tokenFor('teacher', 'tea')}`
    expect(await exchange(asks('/api/v1/courses', 300_000, token), /never/)).toMatch(/^HTTP\/1\.1 413 /)
    const elsewhere = asks('/api/v1/courses', 5, token).map((line) => (line === HOST ? 'Host: evil.example' : line))
    expect(await exchange(elsewhere, /never/)).toMatch(/^HTTP\/1\.1 421 /)
  })

  test('[DOOR-29] with a good token the body is asked for, and read', async () => {
    const token = `Authorization: Bearer ${await tokenFor('teacher', 'tea')}`
    const answer = await exchange(asks('/api/v1/courses', body.length, token), /"Algebra"/, body)
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  })
})
