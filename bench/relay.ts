import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'

/**
 * The yardstick: the least that a support desk needs of Socket.IO, without tokens, checks, storage or read models. Per
 * visitor message it emits to the serving agent and to the supervisors, and acknowledges. Its clients speak as they
 * speak to Lyceum.
 */
const http = createServer()
const io = new Server(http, { serveClient: false })
const servedBy = new Map<string, string>()
const visitorOf = new Map<string, string>()

io.on('connection', (socket) => {
  const { role, user_id: id } = socket.handshake.query as { role: string; user_id: string }
  void socket.join(`person ${id}`)
  if (role !== 'visitor') void socket.join(role === 'agent' ? 'agents' : 'supervisors')
  const user = {
    email: null,
    is_anonymous: false,
    created_at: 1_700_000_000,
    updated_at: null,
    name: id,
    id,
    disabled: false,
  }
  const room = `room-of-${id}`

  socket.on('visitor_first_msg', (content: object, ack: Ack) => {
    visitorOf.set(room, id)
    io.to('agents')
      .to('supervisors')
      .emit('append_unclaimed_chats', { user, room: { id: room }, contents: [content] })
    ack(true, null)
  })
  socket.on('staff_join', (asked: { room: string }, ack: Ack) => {
    servedBy.set(visitorOf.get(asked.room) ?? '', id)
    ack(true, null)
  })
  socket.on('visitor_msg', (content: object, ack: Ack) => {
    const data = { room, user, content }
    io.to(`person ${servedBy.get(id)}`).emit('visitor_send', data)
    io.to('supervisors').emit('new_visitor_msg_for_supervisor', data)
    ack(true, null)
  })
  socket.on('join_project', ({ project_id }: { project_id: number }, ack: Ack) => {
    void socket.join(`project ${project_id}`)
    ack(true, null)
  })
  socket.on('send_message', (message: { project_id: number; content: string }, ack: Ack) => {
    const { project_id, content } = message
    io.to(`project ${project_id}`).emit('receive_message', { id: 1, project_id, content, sender: user, receiver: null })
    ack(true, null)
  })
})

type Ack = (result: boolean, error: string | null) => void

http.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }))
process.on('disconnect', () => process.exit(0))
