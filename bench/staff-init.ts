import type { PresenceEvent } from '../machines/presence/events.ts'
import { personIn } from '../machines/stream.ts'
import { systemClock } from '../src/clock.ts'
import { chatsModel, flaggedIn, unclaimedIn } from '../src/contracts/support-chat/chats-model.ts'
import { staffInit as openingOf } from '../src/contracts/support-chat/opening.ts'
import { usersOf } from '../src/contracts/support-chat/users.ts'
import { openFollower } from '../src/delivery/follower.ts'
import { onlineIn, onlineModel } from '../src/delivery/online-model.ts'
import type { Outlet } from '../src/delivery/outlet.ts'
import { ProfileCache } from '../src/delivery/profile-cache.ts'
import type { Log } from '../src/log/log.ts'
import { openTrail } from '../src/log/trail.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median, quantile } from './figures.ts'
import { inDirectory, introduced, openChat, openLogIn, type Stream, write } from './histories.ts'
import { startLoad } from './processes.ts'
import { openWire } from './wire.ts'

const CHATS = 10_000
const ARRIVALS = 60
const OPENINGS = 100
const LOAD = { do: 'rate', perSecond: 500, seconds: 6 } as const

/**
 * Staff who come while 10,000 chats wait in their organisation, one after another, and what that does to the acks of
 * visitors who write all the time in another one. The server's time is how long the event loop is held: the opening
 * made and encoded, as the gateway does it, on the same log in this process. Timed from outside, from the connection to
 * the last byte, it also holds the handshake, two durable appends and the transfer.
 */
export async function staffInit(): Promise<readonly Figure[]> {
  return inDirectory(async (data) => {
    const log = await openLogIn(data)
    await write(log, queue())
    const held = await eventLoopHeld(log)
    await log.close()
    // A grace without end: those who wait have no connection, and their chats must not be closed.
    const server = await startServer({ data, env: { ...NO_LIMITS, DISCONNECT_GRACE_MS: '80000000' } })
    const load = startLoad()
    try {
      await load.open({ url: server.url, org: 'bench', visitors: 100, agents: 10 })
      await load.run({ ...LOAD, seconds: 2 })
      const quiet = await load.run(LOAD)
      const writing = load.run(LOAD)
      const took: number[] = []
      let bytes = 0
      for (let n = 0; n < ARRIVALS; n++) {
        const arrival = await arrive(server.url, `a${n % 5}`)
        took.push(arrival.ms)
        bytes = arrival.bytes
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const busy = await writing
      return [
        {
          name: 'staff_init with 10,000 unclaimed chats, server time, p99',
          value: quantile(held, 0.99),
          unit: 'ms',
          target: atMost(50),
          note: `p50 ${median(held).toPrecision(3)} ms, the very first ${(held[0] ?? 0).toPrecision(3)} ms`,
        },
        {
          name: 'the same from the connection to its last byte, p99',
          value: quantile(took, 0.99),
          unit: 'ms',
          note: `p50 ${median(took).toPrecision(3)} ms, ${(bytes / 1e6).toFixed(1)} MB`,
        },
        {
          name: "p99 of others' acks meanwhile",
          value: busy.p99,
          unit: 'ms',
          note: `${quiet.p99.toPrecision(3)} ms without arrivals`,
        },
      ]
    } finally {
      await load.end()
      await server.stop()
    }
  })
}

async function eventLoopHeld(log: Log): Promise<readonly number[]> {
  const outlet: Outlet = {
    push() {},
    holdsBack() {},
    size: () => 1,
    join() {},
    leave() {},
    hangUpUser() {},
    disconnectUser() {},
  }
  const [chats, online, profiles] = [chatsModel(log), onlineModel(log), new ProfileCache(log)]
  const onError = (error: unknown): never => {
    throw error
  }
  const follower = openFollower({
    ...{ log, outlet, profiles, clock: systemClock, onError },
    ...{ trail: openTrail(), onAnotherPast: onError },
  })
  const people = function* () {
    for (const [person] of online.entries()) yield personIn(person)
  }
  await follower.start({ models: [chats, online], feeds: [], from: null, online: people, onEvent() {} })
  const rows = { own: new Map(), unclaimed: chats.list(unclaimedIn('queue')), flagged: chats.list(flaggedIn('queue')) }
  const held = Array.from({ length: OPENINGS }, () => {
    const started = performance.now()
    const shown = { ...rows, online: online.list(onlineIn('queue')), users: usersOf(profiles, 'queue') }
    Buffer.from(`42["staff_init",${openingOf({ ...shown, pos: follower.pos() }).text}]`)
    return performance.now() - started
  })
  await follower.stop()
  return held
}

function* queue(): Generator<Stream> {
  const came: PresenceEvent = { type: 'CameOnline', role: 'visitor', at: Date.now() }
  for (let n = 0; n < CHATS; n++) {
    yield { name: `person-queue.w${n}`, events: [introduced('queue', `w${n}`)] }
    yield { name: `presence-queue.w${n}`, events: [came] }
    yield { name: `chat-${String(n).padStart(32, '0')}`, events: openChat('queue', `w${n}`, 2) }
  }
}

async function arrive(url: string, id: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const token = await tokenFor('agent', id, 'queue')
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<{ ms: number; bytes: number }>()
  const wire = await openWire({ url, token, query: {} }, (bytes, from, to) => {
    if (bytes.toString('latin1', from, from + 13) === '2["staff_init')
      resolve({ ms: performance.now() - started, bytes: to - from })
  })
  const arrival = await promise
  wire.close()
  return arrival
}
