import { Agent, request } from 'node:http'

/** What an HTTP answer is, byte for byte. */
export interface Heard {
  readonly status: number
  /** Without those that differ from one answer to the next in any case. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Of a date, and of a length that follows from how an id is spelt, nothing is to be learned. */
const OF_THE_MOMENT = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding'])

/** Many requests over few connections, that stay. */
export function wire(url: string, sockets: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  const ask = ({ method, path, token, body, headers = {} }: Asked): Promise<Heard> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const asking = request(`${url}${path}`, {
        ...{ method, agent },
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...headers,
        },
      })
      asking.once('error', (cause) => reject(new Error(`${method} ${path} was not answered`, { cause })))
      asking.once('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const kept = Object.entries(response.headers).filter(([name]) => !OF_THE_MOMENT.has(name))
          const headers = Object.fromEntries(kept)
          resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString() })
        })
      })
      asking.end(text)
    })
  return { ask, close: () => agent.destroy() }
}
