import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { childEnv } from '../support/child-env.ts'
import { type Fact, factsOf, violations } from '../support/history-checker.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { SECRET, startServer, type TestServer, tokenFor } from '../support/server.ts'
import { lastingPort, lyceum } from './command-line.ts'
import { type Load, openLoad, until } from './load.ts'
import { recordedIn } from './recorded.ts'

const CHATS = 50
/** Of the product, and the default here: everybody must be back within it. */
const GRACE_MS = 15_000
/** Short enough that the log is nearly always writing something when the server dies. */
const PACE_MS = 8
/** The longest that a server lives under load. */
const LIFE_MS = 900

export interface Round {
  readonly round: number
  /** How long the server was up, from its first connection; 0 = it was killed while it started, too. */
  readonly livedMs: number
  /** Events in the log so far, and calls acknowledged so far. */
  readonly events: number
  readonly acked: number
  readonly violations: readonly string[]
}

/**
 * The server dies by SIGKILL at a random moment of every round, under load from 50 chats, and comes back on the same
 * data directory; every third time it is killed once more while it starts. After each death the log itself is read and
 * held against everything that clients were told so far. Resolves to the violations of the whole run, the end included:
 * views, open chats, the one who stayed away.
 */
export async function crashRounds(
  rounds: number,
  tell: (round: Round) => void,
  graceMs = GRACE_MS,
): Promise<readonly string[]> {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-crash-'))
  const env = {
    PORT: String(await lastingPort()),
    DISCONNECT_GRACE_MS: String(graceMs),
    RATE_PER_PERSON: '100000',
    RATE_PER_ADDRESS: '1000000',
  }
  const found: string[] = []
  const facts: Fact[] = []
  let server: TestServer | undefined
  let load: Load | undefined
  let position: bigint | undefined
  try {
    server = await startServer({ data, env })
    load = await openLoad({ urls: [server.url], chats: CHATS, agents: 10, supervisors: 1, paceMs: PACE_MS })
    load.start()
    for (let round = 1; round <= rounds; round++) {
      const livedMs = Math.round(Math.random() * LIFE_MS)
      await pause(livedMs)
      server.kill('SIGKILL')
      await server.ended
      if (round % 3 === 0) await stillborn(data, env)
      const fresh = await recordedIn(data, position)
      position = fresh.at(-1)?.position ?? position
      facts.push(...factsOf(fresh))
      const wrong = [...violations({ facts, ...load.history() }), ...said(server)]
      found.push(...wrong.map((what) => `round ${round}: ${what}`))
      tell({ round, livedMs, events: facts.length, acked: load.acked(), violations: wrong })
      server = await startServer({ data, env })
      const { everybody } = load
      // Some die before everybody is back, some after.
      if (Math.random() < 0.5) await until(() => everybody.every((client) => client.connected()))
    }
    await load.pause()
    const rest = await recordedIn(data, position) // beside the running server, as the command line does
    facts.push(...factsOf(rest))
    found.push(
      ...violations({ facts, ...load.history() }),
      ...(await atTheEnd(server, load, facts, { ...env, LYCEUM_DATA: data })),
    )
    return found
  } finally {
    load?.close()
    server?.kill('SIGKILL')
    await server?.ended
    await rm(data, { recursive: true, force: true })
  }
}

/** Nobody who came back lost their chat; who stays away does; the views are right; HTTP tells what the log holds. */
async function atTheEnd(
  server: TestServer,
  load: Load,
  facts: readonly Fact[],
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const found: string[] = []
  const authorization = `Bearer ${await tokenFor('admin', 'inspector')}`
  const get = async <T>(path: string): Promise<T> =>
    // what the tests of HTTP prove
    (await (await fetch(`${server.url}/api/v1/chats/${path}`, { headers: { authorization } })).json()) as T
  const stateOf = async (room: string): Promise<string> => (await get<{ data: { state: string } }>(room)).data.state
  const states = (): Promise<string[]> => Promise.all(load.rooms.map(stateOf))
  await until(() => load.everybody.every((client) => client.connected()))
  for (const [i, state] of (await states()).entries())
    if (state !== 'claimed') found.push(`${load.rooms[i]} is ${state} though nobody left`)
  for (const room of load.rooms.slice(0, 5)) {
    const page = await get<{ data: { id: string }[] }>(`${room}/events?limit=1000`)
    const ids = facts.filter((fact) => fact.room === room).slice(0, 1000)
    if (page.data.map(({ id }) => id).join() !== ids.map(({ id }) => id).join())
      found.push(`HTTP tells another ${room} than the log`)
  }

  const [deserter] = load.visitors
  deserter?.vanish()
  await until(
    async () => (await stateOf(load.rooms[0] ?? '')) === 'closed',
    PATIENCE_MS + Number(env.DISCONNECT_GRACE_MS),
  )
  if ((await states()).filter((state) => state !== 'claimed').length !== 1)
    found.push('somebody else’s chat was closed with the deserter’s')
  for (const { name, endings, refusals } of load.everybody) {
    if (endings.includes('io server disconnect')) found.push(`${name} was sent away by the server`)
    if (refusals.has('internal')) found.push(`${name} was answered "internal" ${refusals.get('internal')} times`)
  }
  const verified = await lyceum(['views', 'verify'], env).catch((error: Error) => error.message)
  if (!/chats: equal/.test(verified) || /DIFFERENT/.test(verified)) found.push(`views: ${verified}`)
  return [...found, ...said(server)]
}

/** A server that dies while it starts. */
async function stillborn(data: string, env: Readonly<Record<string, string>>): Promise<void> {
  const main = join(import.meta.dirname, '../../src/main.ts')
  const child = spawn(process.execPath, [main, 'start'], {
    env: { ...childEnv, LYCEUM_DATA: data, JWT_SECRET: SECRET, ...env },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  await pause(300 + Math.random() * 700)
  child.kill('SIGKILL')
  await ended
}

/** Whatever it logged at warn or above, but for a write in whose midst it was killed (DISK-3). */
const said = (server: TestServer): string[] =>
  server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{') && !line.includes('were not written whole'))
    .map((line) => `the server logged ${line.slice(0, 600)}`)
