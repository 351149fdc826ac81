import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Config } from '../../config.ts'
import { allowedHosts, type HostCheck } from '../allowed-hosts.ts'
import { type ClientAddresses, clientAddresses } from '../client-address.ts'
import { type WaitingBytes, waitingBytes } from '../waiting-bytes.ts'
import { answering } from './answering.ts'
import { continueWhenWanted } from './continuing.ts'
import { listen } from './listen.ts'
import { boundConnections } from './open-connections.ts'
import { mayUpgrade } from './upgrades.ts'

/**
 * What `/readyz` says of each part: true = ready for work. Text = why not. All of them, or this node should get no
 * traffic.
 */
export type Readiness = Readonly<Record<string, boolean | string>>

/**
 * The HTTP server of a node from its first moment on: it tells how the start goes, long before there is anything to
 * serve, and puts everybody else off.
 */
export interface Entrance {
  readonly http: Server
  /** As clients reach it: `http://host:port`. */
  readonly url: string
  /** Whose requests are counted together. */
  readonly addresses: ClientAddresses
  /** Under which names it may be asked. */
  readonly hosts: HostCheck
  /** What waits to be read by clients. */
  readonly waiting: WaitingBytes
  /** From now on the app answers. */
  open(app: RequestListener): void
  isOpen(): boolean
  /** The node stops: no traffic any more. */
  leave(): void
  /** Why the log cannot be worked with now; null = it can. */
  logIsAway(reason: string | null): void
  /** From now on the node itself says how its parts are. */
  watch(parts: () => Readiness): void
  readiness(): Readiness
}

export interface EntranceOptions
  extends Pick<Config, 'host' | 'port' | 'allowedHosts' | 'trustProxy' | 'connectionsPerAddress'> {
  readonly times?: Times
}

/** How long a connection may take, in milliseconds. */
export interface Times {
  /** For the headers of a request. */
  readonly headers: number
  /** For all of a request. Five megabytes over long polling take a slow line a minute; our own bodies have less. */
  readonly request: number
  /** Between two requests. */
  readonly idle: number
  /** How often that is looked at, and who has taken what of their answers. */
  readonly look: number
}

const TIMES: Times = { headers: 10_000, request: 120_000, idle: 10_000, look: 1_000 }
/** Proxies keep connections for up to a minute, and must not find one closed that they are about to use. */
const PROXY_IDLE_MS = 75_000
const MAX_HEADER_BYTES = 16 * 1024

/** Listens when it resolves. Rejects with a sentence for people when it cannot. */
export async function openEntrance(options: EntranceOptions): Promise<Entrance> {
  const { host, port, trustProxy, connectionsPerAddress, times = TIMES } = options
  let state: 'starting' | 'open' | 'leaving' = 'starting'
  let logAway: string | null = null
  let parts: () => Readiness = () => ({})
  const readiness = (): Readiness => ({ accepting: state === 'open', log: logAway ?? true, ...parts() })
  let answer: RequestListener = ({ url = '' }, response) => {
    const path = pathOf(url)
    if (path === '/livez') return send(response, 200, { data: { alive: true } })
    if (path === '/readyz') return send(response, 503, { data: readiness() })
    send(response, 503, { error: { code: 'unavailable', message: 'this server is starting: ask again soon' } })
  }
  const addresses = clientAddresses(trustProxy)
  const hosts = allowedHosts({ listed: options.allowedHosts, listensOn: host })
  const waiting = waitingBytes()
  const inTurn = answering({ addresses, waiting, lookMs: times.look })
  const checked: RequestListener = (request, response) => {
    const { url = '', headers } = request
    const problem = isProbe(pathOf(url)) ? null : hosts(headers.host)
    if (problem === null) return answer(request, response)
    send(response, 421, { error: { code: 'unknown-host', message: problem } })
  }
  const http: Server = createServer(
    {
      headersTimeout: times.headers,
      requestTimeout: times.request,
      keepAliveTimeout: trustProxy === null ? times.idle : PROXY_IDLE_MS,
      connectionsCheckingInterval: times.look,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Where nobody listens, too, it is answered as any request is.
      shouldUpgradeCallback: (request) => http.listenerCount('upgrade') > 0 && mayUpgrade(request),
    },
    (request, response) => inTurn(checked, request, response),
  )
  continueWhenWanted(http)
  const connections = boundConnections(http, { addresses, perAddress: connectionsPerAddress, lookMs: times.look })
  const url = await listen(http, host, port)
  return {
    ...{ http, url, addresses, hosts, waiting },
    open(app) {
      // Before Socket.IO, which by now has put itself before everything else.
      http.prependListener('request', ({ socket }, response) => connections.asked(socket, response))
      // Not before: where nobody listens an upgrade is answered as any request is, and its client comes again.
      http.on('upgrade', ({ socket }) => connections.upgraded(socket))
      answer = app
      state = 'open'
    },
    isOpen: () => state !== 'starting',
    leave() {
      state = 'leaving'
    },
    logIsAway(reason) {
      logAway = reason
    },
    watch(its) {
      parts = its
    },
    readiness,
  }
}

const pathOf = (url: string): string => url.replace(/\?.*/, '')

/** Load balancers ask each node by its address. */
const isProbe = (path: string): boolean => path === '/livez' || path === '/readyz'

function send(response: ServerResponse, status: 200 | 421 | 503, body: object): void {
  if (status === 503) response.setHeader('Retry-After', '1')
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
