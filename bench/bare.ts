import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'

/**
 * The yardstick of connecting: a Socket.IO server that lets everybody in and does nothing else. Tells its address, ends
 * with its channel.
 */
const http = createServer()
const io = new Server(http, { serveClient: false })
io.on('connection', (socket) => void socket.join('everybody'))
http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo // it listens on TCP
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
process.on('disconnect', () => process.exit(0))
