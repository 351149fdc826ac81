import { Manager, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

const once = (socket: Socket, name: string) => new Promise((heard) => socket.once(name as 'connect', () => heard(name)))

const [usual, messages] = ['/', '/ws/messages']
const [known, guest] = ['somebody known', 'a guest']

test.each([
  ['websocket', usual, known],
  ['polling', usual, known],
  ['websocket', usual, guest],
  ['polling', usual, guest],
  ['websocket', messages, known],
  ['polling', messages, known],
])(
  '[CONN-17] whoever comes and goes on one connection leaves nothing on it: over %s, into %s, %s',
  async (...about) => {
    const [transport, into, who] = about
    const manager = new Manager(server.url, {
      transports: [transport],
      query: { role: 'student' },
      reconnection: false,
      autoConnect: false,
    })
    onTestFinished(() => manager._close())
    const auth = { token: await tokenFor('student', 'owen') }
    const stays = manager.socket(into === usual ? messages : usual, { auth })
    const comes = manager.socket(into, who === known ? { auth } : {})
    await once(stays.connect(), 'connect') // keeps the connection open
    for (let n = 0; n < 12; n++) {
      await once(comes.connect(), 'connect')
      comes.disconnect()
      // Socket.IO ends a connection on which somebody comes in the same breath as they go.
      await new Promise((answer) => stays.emit(into === usual ? 'join_project' : 'join_course', {}, answer))
    }
    // Node says so once eleven listen for one thing.
    expect(server.output()).not.toContain('MaxListenersExceeded')
  },
)
