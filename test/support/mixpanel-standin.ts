import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { unreachable } from '../../machines/kernel.ts'
import {
  fault,
  type HttpRequest,
  mixpanelProject,
  type Received,
  type Refusing,
  type Verdict,
} from './mixpanel-project.ts'

/** What it does with a request instead of answering it well. */
export type Misbehaviour =
  | { readonly kind: 'status'; readonly status: 401 | 404 | 429 | 500 | 502 | 503; readonly retryAfter?: string }
  | { readonly kind: 'too-large' }
  /** An answer from somebody else, for example the log-in page of a network. */
  | { readonly kind: 'page'; readonly status: 200 | 400 }
  /** Answers after so many milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Never answers. `taken`: but has counted the events, which the sender cannot know. */
  | { readonly kind: 'hang'; readonly taken: boolean }
  /** Closes the connection before it has read the request. */
  | { readonly kind: 'close' }
  /** Counts the events, begins to answer, and closes the connection half way. */
  | { readonly kind: 'half' }

export interface MixpanelStandin {
  readonly url: string
  /** See `mixpanelProject`. */
  counted(): readonly Received[]
  mostCopies(): number
  largest(): number
  refuse(next: Refusing): void
  /** Every request so far, as it came over the wire. */
  readonly requests: readonly HttpRequest[]
  /** Connections so far. */
  connections(): number
  /** The next requests meet these, one each; the others are answered well. */
  misbehave(...next: readonly Misbehaviour[]): void
  /** Takes no connections any more, and breaks those that are open. */
  die(): Promise<void>
  /** Back on the same port, with everything that it has counted. */
  revive(): Promise<void>
  /** Resolves as soon as `fact` is true; looks again after every request and every answer. */
  until(fact: () => boolean): Promise<void>
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** A Mixpanel of one test, on a free loopback port. Whoever starts it lets it die. */
export async function startMixpanel(token: string): Promise<MixpanelStandin> {
  const project = mixpanelProject(token)
  const requests: HttpRequest[] = []
  const script: Misbehaviour[] = []
  const watchers = new Set<() => void>()
  let connections = 0

  const look = (): void => {
    for (const watcher of watchers) watcher()
  }

  const reply = (response: ServerResponse, { status, said }: Verdict): void => {
    response.writeHead(status, JSON_TYPE).end(JSON.stringify(said))
    look()
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const next = script.shift()
    if (next?.kind === 'close') {
      incoming.socket.destroy()
      return
    }
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk
    const request: HttpRequest = { url: incoming.url ?? '', headers: incoming.headers, body }
    requests.push(request)
    if (next === undefined) reply(response, project.judge(request))
    else misbehave(next, request, response)
    look()
  }

  function misbehave(
    next: Exclude<Misbehaviour, { kind: 'close' }>,
    request: HttpRequest,
    response: ServerResponse,
  ): void {
    switch (next.kind) {
      case 'status':
        if (next.retryAfter !== undefined) response.setHeader('Retry-After', next.retryAfter)
        reply(response, fault(next.status, 'not now'))
        break
      case 'too-large':
        reply(response, fault(413, 'request exceeds max limit'))
        break
      case 'page':
        response
          .writeHead(next.status, { 'Content-Type': 'text/html' })
          .end('<html>Welcome to our wireless network</html>')
        break
      case 'slow':
        setTimeout(() => reply(response, project.judge(request)), next.ms).unref()
        break
      case 'hang':
        if (next.taken) project.judge(request)
        break
      case 'half': {
        const text = JSON.stringify(project.judge(request).said)
        response.writeHead(200, { ...JSON_TYPE, 'Content-Length': text.length })
        response.write(text.slice(0, 10), () => response.destroy())
        break
      }
      default:
        unreachable(next)
    }
  }

  async function listening(on: number): Promise<Server> {
    const made = createServer((incoming, response) => {
      serve(incoming, response).catch(() => response.destroy()) // its sender has gone away
    })
    made.on('connection', () => {
      connections += 1
    })
    await once(made.listen(on, '127.0.0.1'), 'listening')
    return made
  }

  let server = await listening(0)
  const { port } = server.address() as AddressInfo // it listens on TCP

  return {
    ...project,
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    misbehave: (...next) => void script.push(...next),
    async die() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    async revive() {
      server = await listening(port)
    },
    async until(fact) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const watcher = (): void => {
        if (fact()) resolve()
      }
      watchers.add(watcher)
      watcher()
      await promise.finally(() => watchers.delete(watcher))
    },
  }
}
