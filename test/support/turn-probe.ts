import { createServer } from 'node:http'

/**
 * Preloaded into a server (`NODE_OPTIONS=--import`): measures how much processor time the main thread spends from one
 * turn of the event loop to the next. It is no wall time: what others do on the machine does not count. `GET /begin` on
 * the socket at TURN_PROBE starts, `GET /end` tells the longest turn in milliseconds.
 */
const { TURN_PROBE } = process.env
let longest = 0
let isOn = false

function look(before: number): void {
  const { user, system } = process.threadCpuUsage()
  longest = Math.max(longest, user + system - before)
  if (isOn) setImmediate(look, user + system)
}

if (TURN_PROBE !== undefined)
  createServer(({ url }, response) => {
    isOn = url === '/begin'
    const told = String(longest / 1_000)
    longest = 0
    response.end(told)
    // What the answer itself takes is in the turn before.
    if (isOn) setImmediate(() => look(Number.POSITIVE_INFINITY))
  })
    .listen(TURN_PROBE)
    .unref()
