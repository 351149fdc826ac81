import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

/** Asks for an upgrade, and resets the connection when it is answered, or hung up on, or at once. */
function resets(path: string, header: string, atOnce: boolean): Promise<void> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket']
      const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
      socket.write(`${[...lines, ...key, ...(header === '' ? [] : [header])].join('\r\n')}\r\n\r\n`, () => {
        if (atOnce) socket.resetAndDestroy()
      })
    })
    socket.on('data', () => socket.resetAndDestroy())
    socket.on('error', () => {}) // it closes
    socket.on('close', () => resolve())
  })
}

const SOCKETS = '/socket.io/?EIO=4&transport=websocket'
test.each([
  ['a bad token in a header', SOCKETS, 'Authorization: Bearer x.y.z'],
  ['a bad token in the query', `${SOCKETS}&token=x.y.z`, ''],
  ['no token', SOCKETS, ''],
  ['another path', '/elsewhere', ''],
])('[CONN-16] an upgrade with %s that ends in a reset ends nothing else', async (_, path, header) => {
  await Promise.all(Array.from({ length: 20 }, (_, n) => resets(path, header, n % 2 === 1)))
  const ended = server.ended.then((how) => `the server ended: ${how}\n${server.output().slice(-1_000)}`)
  const alive = fetch(`${server.url}/livez`).then(({ status }) => status)
  expect(await Promise.race([ended, alive])).toBe(200)
})
