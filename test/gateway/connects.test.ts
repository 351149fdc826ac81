import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../support/client.ts'
import { frameOf, type RawSocket, rawSocket } from '../support/raw-socket.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '4', RATE_PER_ADDRESS: '400' } })
})
afterAll(async () => {
  await server.stop()
})

async function raw(query?: string): Promise<RawSocket> {
  const socket = await rawSocket(server.url, query)
  onTestFinished(() => socket.close())
  return socket
}

/** Whether it is let in, or hung up on without a word. */
async function isIn(socket: RawSocket, connecting: string): Promise<boolean> {
  socket.write(frameOf(connecting))
  return socket
    .text((text) => text.startsWith('4'))
    .then(
      (text) => text.startsWith('40{') || expect.unreachable(text),
      () => false,
    )
}

test('[FLOOD-6] one person connects so often; whoever is above that comes in later, by themselves', async () => {
  const token = await tokenFor('visitor', 'vera')
  const tries: boolean[] = []
  for (let i = 0; i < 12; i++) tries.push(await isIn(await raw(), `40{"token":"${token}"}`))
  expect(tries.filter(Boolean).length).toBeGreaterThanOrEqual(8)
  expect(tries.at(-1)).toBe(false)
  expect(await isIn(await raw(), `40{"token":"${await tokenFor('visitor', 'vito')}"}`), 'somebody else').toBe(true)
  const patient = await connect(server.url, { auth: { token }, reconnection: true, reconnectionDelay: 100 })
  expect(patient.socket.connected).toBe(true)
  patient.close()
})

test('[FLOOD-6] an address connects so often; whoever is above that is told when to come again', async () => {
  const many = await Promise.allSettled(Array.from({ length: 100 }, () => raw()))
  const refused = many.flatMap((one) => (one.status === 'rejected' ? String(one.reason) : []))
  expect(new Set(refused)).toEqual(new Set(['Error: HTTP/1.1 429 Too Many Requests']))
  const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)
  expect([answer.status, Number(answer.headers.get('Retry-After'))]).toEqual([429, 1])
})
