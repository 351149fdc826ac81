import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { PATIENCE_MS } from '../support/patience.ts'
import { startHttp } from './server.ts'

let http: Awaited<ReturnType<typeof startHttp>>
let admin = ''
beforeAll(async () => {
  http = await startHttp({ bodies: { perAddress: 300_000, inAll: 1_000_000, withinMs: 200 } })
  admin = await http.token('admin')
})
afterAll(() => http.close())

/** A connection that sends a request as text, and what comes back until it is over. */
async function sent(head: readonly string[], body: string) {
  const socket = connect(Number(new URL(http.url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {}) // hung up on in the middle of what is sent
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const over = once(socket, 'close')
  socket.write(`${[...head, 'Host: localhost', 'Content-Type: application/json'].join('\r\n')}\r\n\r\n${body}`)
  return { socket, over, answer: () => text }
}
const POST = 'POST /api/v1/users HTTP/1.1'
const CHUNKED = 'Transfer-Encoding: chunked'
const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`
const bearer = () => `Authorization: Bearer ${admin}`

test('[DOOR-11] a body is read only after the token was found good', async () => {
  for (const framing of [CHUNKED, 'Content-Length: 100000']) {
    const { over, answer } = await sent([POST, framing], framing === CHUNKED ? chunk(1_000) : 'x')
    await over // though the body has not come
    expect(answer()).toMatch(/^HTTP\/1.1 401 /)
  }
})

test('[DOOR-12] a body that is too large or too slow is refused and not read to its end', async () => {
  const large = await sent([POST, bearer(), CHUNKED], chunk(270_000))
  const announced = await sent([POST, bearer(), 'Content-Length: 262145'], '')
  const open = await sent(['POST /api/v1/auth/login HTTP/1.1', 'Content-Length: 16385'], '')
  const slow = await sent([POST, bearer(), 'Content-Length: 100'], '{')
  await Promise.all([large, announced, open, slow].map(({ over }) => over))
  for (const { answer } of [large, announced, open]) expect(answer()).toMatch(/^HTTP\/1.1 413 .*"too-large"/s)
  expect(slow.answer()).toMatch(/^HTTP\/1.1 400 .*"body-too-slow"/s)
})

test('[DOOR-13] bodies on their way are bounded for each address, and let go when they are over', async () => {
  const one = await sent([POST, bearer(), 'Content-Length: 200001'], 'x'.repeat(200_000))
  const two = await sent([POST, bearer(), 'Content-Length: 200001'], 'x'.repeat(200_000))
  await Promise.all([one.over, two.over])
  const answers = [one.answer(), two.answer()].sort()
  expect(answers[0]).toMatch(/^HTTP\/1.1 400 .*"body-too-slow"/s)
  expect(answers[1]).toMatch(/^HTTP\/1.1 503 .*"too-much-under-way"/s)
  expect(answers[1]?.toLowerCase()).toContain('retry-after: 1')
  const whole = await http.call('POST', '/api/v1/users', { token: admin, body: { full_name: 'x'.repeat(200_000) } })
  expect(whole).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } })
})

test('[DOOR-14] a body that is broken off is no error line', async () => {
  http.lines.length = 0
  const { socket } = await sent([POST, bearer(), 'Content-Length: 100'], '{')
  socket.destroy()
  await expect.poll(() => http.lines.join(), { timeout: PATIENCE_MS }).toContain('"status":400')
  expect(http.lines.join()).not.toContain('failed')
})

test('[DOOR-15] a body that is nested too deep is 400, with an Idempotency-Key as well', async () => {
  const deep = `{"full_name": ${'['.repeat(60_000)}${']'.repeat(60_000)}}`
  const closed = `{"full_name": ${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`
  for (const body of [deep, closed, '['.repeat(200_000)]) {
    for (const headers of [{}, { 'Idempotency-Key': 'deep' }] as Record<string, string>[]) {
      const { status, body: told } = await http.call('POST', '/api/v1/users', { token: admin, body, headers })
      expect([status, told.error.message]).toEqual([400, 'the body is nested deeper than 64 levels'])
    }
  }
  const brackets = { full_name: '['.repeat(100), email: '\\"{{{{{' }
  const { body } = await http.call('POST', '/api/v1/users', { token: admin, body: brackets })
  expect(body.error.message, 'brackets in texts are no levels').not.toContain('nested')
})
