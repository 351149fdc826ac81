import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Client } from '../support/client.ts'
import { eventually } from '../support/lessons.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Company, company } from './company.ts'

const rounds = Array.from({ length: 12 }, (_, nth) => nth)

let server: TestServer
let acme: Company
let ann: Client
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '0' } })
})
afterAll(async () => void (await server.stop()))
beforeEach(async () => {
  acme = company(server)
  ann = await acme.join('agent', 'ann')
})
afterEach(() => acme.close())

const events = async (room: string): Promise<string[]> =>
  (await acme.events(room)).map(({ type, data }) => `${type} ${data.content?.n ?? ''}`.trim())
const closed = (room: string): Promise<string[]> =>
  eventually(
    () => events(room),
    (seen) => seen.includes('ChatClosed'),
  )
const transports = (nth: number) => ({ transports: [nth % 3 ? 'websocket' : 'polling'] })

const endings: [string, (client: Client) => void][] = [
  ['the client closes', ({ socket }) => void socket.disconnect()],
  ['is lost', ({ socket }) => void socket.io.engine.close()],
]

test.each(endings)(
  '[ORDER-2] what a visitor wrote before the connection %s is in the chat before it ends',
  async (_, end) => {
    for (const nth of rounds) {
      const vera = await acme.join('visitor', `vera-${nth}`, transports(nth))
      await vera.ask('visitor_first_msg', { n: 0 })
      const { room } = await ann.told('append_unclaimed_chats', ({ user }) => user.id === `vera-${nth}`)
      vera.socket.emit('visitor_msg', { n: 1 }, 'named')
      vera.socket.emit('visitor_msg', { n: 2 })
      if (nth % 2) await pause(Math.random() * 3)
      end(vera)
      expect(await closed(room.id)).toEqual(['ChatOpened 0', 'VisitorWrote 1', 'VisitorWrote 2', 'ChatClosed'])
    }
  },
)

test.each(endings)(
  '[ORDER-2] a chat that was opened just before the connection %s holds what was written, and ends',
  async (_, end) => {
    for (const nth of rounds) {
      const vera = await acme.join('visitor', `vera-${nth}`, transports(nth))
      vera.socket.emit('visitor_first_msg', { n: 0 })
      vera.socket.emit('visitor_msg', { n: 1 }, 'named')
      vera.socket.emit('visitor_leave_room')
      vera.socket.emit('visitor_first_msg', { n: 2 })
      vera.socket.emit('visitor_msg', { n: 3 }, 'named, too')
      end(vera)
      await ann.told('append_unclaimed_chats', ({ user, room }) => user.id === `vera-${nth}` && room.id !== '')
      const rooms = await eventually(
        () => ann.all('append_unclaimed_chats').filter(({ user }) => user.id === `vera-${nth}`),
        ({ length }) => length === 2,
      )
      expect(await closed(rooms[0].room.id)).toEqual(['ChatOpened 0', 'VisitorWrote 1', 'ChatClosed'])
      expect(await closed(rooms[1].room.id)).toEqual(['ChatOpened 2', 'VisitorWrote 3', 'ChatClosed'])
    }
  },
)

test.each(endings)(
  '[ORDER-2] what an agent wrote before the connection %s is in the chat before it ends',
  async (_, end) => {
    for (const nth of rounds) {
      const { visitor, room } = await acme.chat(`vera-${nth}`, ann, { n: 0 })
      const bob = await acme.join('agent', `bob-${nth}`, transports(nth))
      bob.socket.emit('staff_join', { room })
      bob.socket.emit('staff_msg', { room, content: { n: 1 }, client_id: 'named' })
      bob.socket.emit('staff_msg', { room, content: { n: 2 } })
      end(bob)
      expect(await closed(room)).toEqual(['ChatOpened 0', 'ChatClaimed', 'StaffWrote 1', 'StaffWrote 2', 'ChatClosed'])
      visitor.close()
    }
  },
)
