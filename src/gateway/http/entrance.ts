import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { listen } from './listen.ts'

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
  /** From now on the app answers. */
  open(app: RequestListener): void
  isOpen(): boolean
  /** The node stops: no traffic any more. */
  leave(): void
  /** Why the log cannot be worked with now; null = it can. */
  logIsAway(reason: string | null): void
  readiness(): Readiness
}

/** Listens when it resolves. Rejects with a sentence for people when it cannot. */
export async function openEntrance({ host, port }: { host: string; port: number }): Promise<Entrance> {
  let state: 'starting' | 'open' | 'leaving' = 'starting'
  let logAway: string | null = null
  const readiness = (): Readiness => ({ accepting: state === 'open', log: logAway ?? true })
  let answer: RequestListener = ({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '')
    if (path === '/livez') return send(response, 200, { data: { alive: true } })
    if (path === '/readyz') return send(response, 503, { data: readiness() })
    send(response, 503, { error: { code: 'unavailable', message: 'this server is starting: ask again soon' } })
  }
  const http = createServer((request, response) => answer(request, response))
  const url = await listen(http, host, port)
  return {
    http,
    url,
    open(app) {
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
    readiness,
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
