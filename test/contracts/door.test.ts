import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../support/client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { rawGet } from './raw-http.ts'

const METRICS_TOKEN = 'a token of the tests'.replaceAll(' ', '-')
const ENV = { TRUST_PROXY: '1', RATE_PER_PERSON: '5', METRICS_TOKEN, ALLOWED_HOSTS: 'school.example, *.app.example' }

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: ENV })
})
afterAll(() => server.stop())

const call = (path: string, token: string | null, init: RequestInit = {}) =>
  fetch(server.url + path, {
    ...init,
    headers: { ...init.headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
  })
const statusesOf = async (count: number, ask: () => Promise<Response>): Promise<readonly number[]> => {
  const statuses: number[] = []
  for (let n = 0; n < count; n++) statuses.push((await ask()).status)
  return statuses
}

/** How many of so many at once succeed. */
const letIn = async (count: number, ask: () => Promise<unknown>): Promise<number> =>
  (await Promise.allSettled(Array.from({ length: count }, ask))).filter(({ status }) => status === 'fulfilled').length

test('[DOOR-4] behind a proxy what one client uses up is not another’s, over HTTP and on sockets', async () => {
  const crowded = await startServer({ env: { TRUST_PROXY: '1', RATE_PER_ADDRESS: '1' } })
  onTestFinished(async () => void (await crowded.stop()))
  const from = (client: string) => ({ 'X-Forwarded-For': `203.0.113.9, ${client}` })
  const ask = async (client: string) => {
    const { ok } = await fetch(`${crowded.url}/api/v1/asyncapi.json`, { headers: from(client) })
    if (!ok) throw new Error('too often')
  }
  const guest = async (client: string) =>
    (await connect(crowded.url, { query: { role: 'student' }, extraHeaders: from(client) })).close()
  expect(await letIn(40, () => ask('192.0.2.1'))).toBeLessThan(40)
  await ask('192.0.2.2')
  expect(await letIn(40, () => guest('192.0.2.3'))).toBeLessThan(40)
  await guest('192.0.2.4')
})

test('[DOOR-24] so it is for participants without a token; one who was here before comes again', async () => {
  const crowded = await startServer({ env: { TRUST_PROXY: '1', NEW_PEOPLE_PER_ADDRESS: '2' } })
  onTestFinished(async () => void (await crowded.stop()))
  const guest = async (client: string, token?: string) => {
    const extraHeaders = { 'X-Forwarded-For': client }
    const auth = token === undefined ? {} : { token }
    const one = await connect(crowded.url, { query: { role: 'student' }, extraHeaders, auth })
    onTestFinished(() => one.close())
    return one
  }
  const { token } = await (await guest('192.0.2.1')).told('participant_id')
  expect(await letIn(20, () => guest('192.0.2.1'))).toBeLessThan(20)
  const madeUp = () => guest('192.0.2.1', `participant.${randomBytes(32).toString('base64url')}`)
  expect(await letIn(20, madeUp), 'with a token that is made up').toBeLessThan(20)
  expect(await letIn(20, () => guest('192.0.2.1', token)), 'the same one again').toBe(20)
  await guest('192.0.2.2')
})

test('[DOOR-5] so it is on the handshake, for polling and WebSocket', async () => {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'a'.repeat(22) }
  const polling = `${server.url}/socket.io/?EIO=4&transport=polling&role=student`
  const socket = `${server.url}/socket.io/?EIO=4&transport=websocket&role=student`
  for (const [url, headers] of [
    [polling, {}],
    [socket, { ...upgrade, 'Sec-WebSocket-Version': '13' }],
  ] as const) {
    const statusFor = async (Host: string) => (await rawGet(url, { ...headers, Host })).status
    expect(await statusFor('evil.example')).toBe(421)
    expect(await statusFor('10.0.0.1'), 'names are listed, so addresses are none of ours').toBe(421)
  }
  for (const Host of ['school.example', 'SCHOOL.example:80', 'a.b.app.example', 'localhost'])
    expect((await rawGet(polling, { Host })).status, Host).toBe(200)
})

test('[DOOR-16] what a person may ask is one measure for HTTP and sockets', async () => {
  const token = await tokenFor('teacher', 'busy')
  const client = await connect(server.url, { auth: { token } })
  const ask = () => call('/api/v1/users/me', token)
  const statuses = await statusesOf(12, ask)
  expect(statuses).toContain(429)
  expect(statuses[0]).toBe(200)
  const late = (await Promise.all(Array.from({ length: 8 }, ask))).find(({ status }) => status === 429)
  expect(Number(late?.headers.get('Retry-After'))).toBeGreaterThan(0)
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.ask('join_course', { course_id: 'none' })))
  expect(answers.map(([, why]) => String(why)).some((why) => why.startsWith('rate-limited'))).toBe(true)
  expect((await call('/api/v1/users/me', await tokenFor('teacher', 'calm'))).status).toBe(200)
  client.close()
})

test('[DOOR-25] somebody who was never seen is shut out on sockets, too', async () => {
  const token = await tokenFor('teacher', 'ghost')
  const boss = await tokenFor('admin', 'boss')
  expect((await call('/api/v1/users/ghost/disable', boss, { method: 'POST' })).status).toBe(200)
  expect((await call('/api/v1/projects', token)).status).toBe(401)
  await expect(connect(server.url, { auth: { token } })).rejects.toThrow('disabled')
  expect((await call('/api/v1/users/ghost/enable', boss, { method: 'POST' })).status).toBe(200)
  const ghost = await connect(server.url, { auth: { token } })
  ghost.close()
})

test('[DOOR-18] metrics want their token where there is one', async () => {
  const bodyOf = async (token: string | null) => (await call('/metrics', token)).status
  expect(await Promise.all([null, 'wrong', METRICS_TOKEN].map(bodyOf))).toEqual([401, 401, 200])
})
