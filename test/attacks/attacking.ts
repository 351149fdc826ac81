import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { tokenFor } from '../support/server.ts'
import type { World } from './honest.ts'
import { admitted, type Raw, type RawOptions, rawConnection, rawWebSocket } from './raw.ts'

/** What came of an attack, as the attackers saw it. */
export interface Losses {
  /** Connections, and requests over HTTP. */
  readonly opened: number
  /** Of them those that the server ended, refused, or never let in. */
  readonly cutOff: number
  /** What people beside them could not do, or were shown, because of the attack. */
  readonly blamed: readonly string[]
}

/** What attackers have to work with. Nothing of it throws because of what the server does. */
export interface Attacking {
  readonly url: string
  readonly host: string
  readonly world: World
  readonly attackers: number
  isOver(): boolean
  /** Waits, but not beyond the end. */
  rest(ms: number): Promise<void>
  token(role: string, id: string, more?: Readonly<Record<string, unknown>>, exp?: number): Promise<string>
  /** Each of these is the n-th attacker's; all come from one address unless the attack says otherwise. */
  tcp(): Promise<Raw>
  stranger(options?: RawOptions): Promise<Raw | null>
  socket(role: string, id: string, options?: RawOptions): Promise<Raw | null>
  http(method: string, path: string, options?: HttpOptions): Promise<HttpAnswer>
  /** Something that must not come of it has come of it. */
  blame(what: string): void
  losses(): Losses
}

interface HttpOptions {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface HttpAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: attacks look into answers of many shapes
  readonly body: any
}

/** Where all attackers come from: not from where the honest are. */
const ADDRESS = '127.0.0.66'

export function attacking(url: string, world: World, attackers: number, seconds: number): Attacking {
  const end = performance.now() + seconds * 1_000
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  let opened = 0
  let cutOff = 0
  const blamed: string[] = []
  const isOver = (): boolean => performance.now() >= end
  const counted = <T extends Raw | null>(raw: T): T => {
    opened++
    if (raw === null) cutOff++
    else
      void raw.closed.then(() => {
        if (!isOver() && !raw.isLeft()) cutOff++
      })
    return raw
  }
  return {
    ...{ url, world, attackers, isOver, host: new URL(url).host },
    rest: (ms) => pause(Math.max(0, Math.min(ms, end - performance.now()))),
    token: (role, id, more = {}, exp = 3_600) => tokenFor(role, id, world.org, more, exp),
    tcp: async () => counted(await rawConnection(url, ADDRESS)),
    stranger: async (options) => counted(await rawWebSocket(url, { from: ADDRESS, ...options })),
    socket: async (role, id, options) =>
      counted(await admitted(url, await tokenFor(role, id, world.org), { from: ADDRESS, ...options })),
    http: (method, path, { token, body, headers = {} } = {}) =>
      new Promise<HttpAnswer>((resolve) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const asking = request(`${url}${path}`, {
          ...{ method, agent, localAddress: ADDRESS },
          headers: {
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
            ...(text === undefined
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
            ...headers,
          },
        })
        asking.once('error', () => resolve({ status: 0, body: null }))
        asking.once('response', (response) => {
          let answer = ''
          response.on('data', (chunk) => (answer += chunk))
          response.once('error', () => resolve({ status: 0, body: null }))
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }))
        })
        asking.end(text)
      }).then((answer) => {
        opened++
        if (answer.status === 0 || answer.status >= 400) cutOff++
        return answer
      }),
    blame: (what) => void blamed.push(what),
    losses: () => ({ opened, cutOff, blamed }),
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Every attacker at once, each until the end. */
export async function everybody(it: Attacking, does: (n: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: it.attackers }, (_, n) => does(n)))
}

/** Looks, in the middle of an attack, whether somebody else can still do something. */
export const beside =
  (attack: (it: Attacking) => Promise<void>, look: (it: Attacking) => Promise<void>) =>
  async (it: Attacking): Promise<void> => {
    await Promise.all([attack(it), it.rest(2_000).then(() => look(it))])
  }

/** Opens a connection and makes use of it, again and again: whoever is cut off comes back. */
export async function again(
  it: Attacking,
  open: () => Promise<Raw | null>,
  use: (raw: Raw) => Promise<void>,
): Promise<void> {
  while (!it.isOver()) {
    const raw = await open()
    if (raw === null) {
      await it.rest(50)
      continue
    }
    await use(raw)
    raw.close()
  }
}

/** Writes as fast as the server takes it, until it is over or cut off. A server that does not read is waited for. */
export async function flood(it: Attacking, raw: Raw, bytes: () => Uint8Array | string): Promise<void> {
  while (!it.isOver() && raw.isOpen()) {
    await Promise.race([raw.write(bytes()), it.rest(Number.POSITIVE_INFINITY)])
    await new Promise(setImmediate)
  }
}
