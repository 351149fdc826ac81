import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { tokenFor } from '../support/server.ts'

// A class in a process of its own, so that whoever watches it is not slowed down by it. Lines in: `join <count>
// <lesson>`, `drop`, `return`, `end`. Lines out: JSON, when it is done: how long it took, and how much was told to how
// many.
const [url = ''] = process.argv.slice(2)
let tokens: string[] = []
let lesson = ''
let sockets: Socket[] = []

/** Opens all connections; resolves when each has been told the lesson's state. */
async function come(): Promise<number> {
  const started = performance.now()
  await Promise.all(
    tokens.map(
      (token, n) =>
        new Promise<void>((resolve, reject) => {
          const query = { role: 'student', lesson_id: lesson }
          const socket = io(url, {
            forceNew: true,
            reconnection: false,
            transports: ['websocket'],
            auth: { token },
            query,
          })
          sockets[n] = socket
          socket.once('lesson_state', () => resolve())
          socket.once('connect_error', reject)
          socket.once('error', (error) => reject(new Error(JSON.stringify(error))))
        }),
    ),
  )
  return performance.now() - started
}

async function drop(): Promise<number> {
  const started = performance.now()
  for (const socket of sockets) socket.io.engine.close()
  sockets = []
  return performance.now() - started
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, count, id = ''] = line.split(' ')
  if (what === 'end') break
  if (what === 'join') {
    lesson = id
    tokens = await Promise.all(Array.from({ length: Number(count) }, (_, n) => tokenFor('student', `s${n}`)))
    process.stdout.write(`${JSON.stringify({ ready: tokens.length })}\n`)
  }
  const ms = what === 'drop' ? await drop() : await come()
  process.stdout.write(`${JSON.stringify({ done: what, ms: Math.round(ms) })}\n`)
}
for (const socket of sockets) socket.close()
