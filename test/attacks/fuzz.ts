import { setTimeout as pause } from 'node:timers/promises'
import type { JsonSchema } from '../../src/gateway/http/schema-example.ts'
import { validOf } from '../walls/kinds.ts'
import { type Dice, dice } from './dice.ts'
import { type Corpus, spoiltFrame, spoiltRequest } from './garbage.ts'
import { admitted, frameOf, type Raw, rawConnection } from './raw.ts'

export interface FuzzOptions {
  readonly url: string
  readonly tokens: readonly string[]
  readonly frames: number
  readonly seed: number
  /** Called now and then with what was sent so far. */
  readonly onSent?: (frames: number) => void
}

/** At once. */
const CONNECTIONS = 16
const FRAMES_PER_CONNECTION = 30
/** Whoever is not answered to the end by then goes away. */
const PATIENCE_MS = 1_000
const NAMESPACE = '/ws/messages,'

/**
 * Sends garbage of all kinds: frames of WebSockets that were let in, bodies of long polling, requests over HTTP. Each
 * connection is left in order, so that everything that was sent is dealt with.
 */
export async function fuzz({ url, tokens, frames, seed, onSent = () => {} }: FuzzOptions): Promise<void> {
  const corpus = await corpusOf(url)
  let left = frames
  const take = (most: number): number => {
    const taken = Math.min(most, left)
    left -= taken
    onSent(frames - left)
    return taken
  }
  const one = async (lane: number): Promise<void> => {
    const chance = dice(seed + lane)
    for (let count = take(FRAMES_PER_CONNECTION); count > 0; count = take(FRAMES_PER_CONNECTION)) {
      // Not from one address, which would soon be told to wait.
      const from = `127.0.${1 + chance.below(200)}.${1 + chance.below(200)}`
      const token = chance.pick(tokens)
      const kind = chance.next()
      if (kind < 0.8) await overWebSocket({ url, token, from, count, chance, corpus })
      else await overHttp({ url, token, from, count, chance, corpus })
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, lane) => one(lane)))
}

interface Volley {
  readonly url: string
  readonly token: string
  readonly from: string
  readonly count: number
  readonly chance: Dice
  readonly corpus: Corpus
}

async function overWebSocket({ url, token, from, count, chance, corpus }: Volley): Promise<void> {
  const raw = await admitted(url, token, { from })
  if (raw === null) return
  // What is meant for a namespace that one is not in ends the connection, so one comes into it before.
  const isElsewhere = chance.next() < 0.2
  if (isElsewhere) await raw.send(`40${NAMESPACE}${JSON.stringify({ token })}`)
  const packets = isElsewhere ? corpus.packets.map((packet) => `42${NAMESPACE}${packet.slice(2)}`) : corpus.packets
  const frames = Array.from({ length: count }, () => spoiltFrame(chance, { ...corpus, packets }, frameOf))
  await raw.write(Buffer.concat(frames))
  await left(raw)
}

/** Several requests behind each other, each on a connection of its own where the one before has ended it. */
async function overHttp({ url, token, from, count, chance, corpus }: Volley): Promise<void> {
  const { host } = new URL(url)
  let raw = await rawConnection(url, from)
  raw.socket.resume()
  for (let n = 0; n < count; n++) {
    if (!raw.isOpen()) {
      raw = await rawConnection(url, from)
      raw.socket.resume()
    }
    await raw.write(spoiltRequest(chance, corpus, host, token))
    if (n % 4 === 0) await new Promise(setImmediate)
  }
  await left(raw)
}

async function left(raw: Raw): Promise<void> {
  raw.socket.end()
  await Promise.race([raw.closed, pause(PATIENCE_MS)])
  raw.close()
}

/** Everything that the server says it takes, as clients send it. */
async function corpusOf(url: string): Promise<Corpus> {
  const described = async (name: string): Promise<Described> =>
    (await (await fetch(`${url}/api/v1/${name}`)).json()) as Described
  const { operations = {}, components } = await described('asyncapi.json')
  const { paths = {} } = await described('openapi.json')
  const packets = Object.entries(operations).flatMap(([key, { action }]) => {
    const message = components.messages?.[key]
    if (action !== 'receive' || !message) return []
    const data = JSON.stringify([message.name, validOf(message.payload, components.schemas)])
    return [`42${data}`, `421${data}`]
  })
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  return { packets, routes }
}

interface Described {
  readonly operations?: Readonly<Record<string, { readonly action: string }>>
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly messages?: Readonly<Record<string, { readonly name: string; readonly payload: JsonSchema }>>
  }
}
