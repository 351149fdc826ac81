import { Manager, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { studio } from '../support/studio.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

const once = (socket: Socket, name: string) => new Promise((heard) => socket.once(name as 'connect', () => heard(name)))

test.each(['websocket', 'polling'])(
  '[PROJECT-6] [LIMIT-6] frames of other namespaces on one connection stay small, over %s',
  async (transport) => {
    const it = studio(server)
    onTestFinished(() => it.close())
    const project = await it.project('P', 'owen')
    const manager = new Manager(server.url, { transports: [transport], reconnection: false })
    onTestFinished(() => manager._close())
    const auth = { token: await it.token('agent', 'owen') }
    const [usual, own] = [manager.socket('/', { auth }), manager.socket('/ws/messages', { auth })]
    const letIn = [once(usual, 'connect'), once(own, 'connect')]
    for (const socket of [usual, own]) socket.connect()
    await Promise.all(letIn)

    const large = 'A'.repeat(3_000_000)
    const text = Buffer.from('x'.repeat(2_200_000)).toString('base64')
    const message = { project_id: project, file_name: 'a.txt', file_base64: text }
    const joined = await new Promise((answer) => own.emit('join_project', { project_id: project }, answer))
    expect(joined).toBe(true)
    const sent = await new Promise((answer) => own.emit('send_message', message, (...said: unknown[]) => answer(said)))
    expect(sent).toEqual([true, null])
    const ended = [once(usual, 'disconnect'), once(own, 'disconnect')]
    usual.emit('staff_msg', { room: 'x', content: { large } }, () => expect.unreachable('it was read'))
    await Promise.all(ended)
  },
)
