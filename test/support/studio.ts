import { EventSource } from 'eventsource'
import { type Client, type ConnectOptions, connect } from './client.ts'
import { type Answered, call } from './lessons.ts'
import { PATIENCE_MS } from './patience.ts'
import { type TestServer, tokenFor } from './server.ts'

/** What happened to projects, as a page hears it. */
export interface Page {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they were told
  readonly told: readonly any[]
  readonly ids: readonly string[]
  readonly source: EventSource
  /** The first one, past or to come, with this message. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  message(text: string | RegExp): Promise<any>
  close(): void
}

/** An organisation with people who make projects; everybody has an e-mail `<id>@studio.example`. */
export interface Studio {
  readonly org: string
  token(role: string, id: string, claims?: object): Promise<string>
  /** On `/ws/messages`, as the document connects. */
  socket(id: string, role?: string, options?: ConnectOptions): Promise<Client>
  ask(id: string, method: string, path: string, body?: unknown, key?: string): Promise<Answered>
  numberOf(id: string): Promise<number>
  /** A project of `owner`, with these participants. */
  project(title: string, owner: string, ...participants: readonly string[]): Promise<number>
  stream(id: string, options?: { readonly url?: string; readonly lastEventId?: string }): Promise<Page>
  close(): void
}

let studios = 0

export function studio(server: Pick<TestServer, 'url'>, org = `studio${process.pid}-${++studios}`): Studio {
  const open: { close(): void }[] = []
  const token: Studio['token'] = (role, id, claims = {}) =>
    tokenFor(role, id, org, { email: `${id}@studio.example`, name: undefined, ...claims })
  const ask: Studio['ask'] = async (id, method, path, body, key) =>
    call(server.url, await token('agent', id), method, path, body, key)
  const it: Studio = {
    ...{ org, token, ask },
    async socket(id, role = 'agent', options = {}) {
      const extraHeaders = { Authorization: `Bearer ${await token(role, id)}` }
      const client = await connect(`${server.url}/ws/messages`, { extraHeaders, ...options })
      open.push(client)
      return client
    },
    numberOf: async (id) => (await ask(id, 'GET', '/users/me')).body.data.number,
    async project(title, owner, ...participants) {
      const { id } = (await ask(owner, 'POST', '/projects', { title })).body.data
      for (const one of participants) {
        const user_id = await it.numberOf(one)
        await ask(owner, 'POST', `/projects/${id}/participants`, { user_id })
      }
      return id
    },
    async stream(id, { url = server.url, lastEventId } = {}) {
      const { ticket } = (await ask(id, 'POST', '/users/stream-ticket', {})).body.data
      const page = await openPage(`${url}/api/v1/users/stream/${ticket}`, lastEventId)
      open.push(page)
      return page
    },
    close() {
      for (const one of open.splice(0)) one.close()
    },
  }
  return it
}

/** Resolves when it is open. */
export async function openPage(url: string, lastEventId?: string): Promise<Page> {
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...headers, ...init?.headers } }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: see Page
  const told: any[] = []
  const ids: string[] = []
  const watchers = new Set<() => void>()
  source.addEventListener('action_project', ({ data, lastEventId: id }) => {
    told.push(JSON.parse(data))
    ids.push(id)
    for (const look of watchers) look()
  })
  await new Promise<void>((resolve, reject) => {
    source.addEventListener('open', () => resolve())
    source.addEventListener('error', ({ code, message }) => {
      if (source.readyState === EventSource.CLOSED) reject(new Error(`${code}: ${message}`))
    })
  })
  return {
    ...{ told, ids, source },
    message: (text) =>
      new Promise((resolve, reject) => {
        const passes = (message: string): boolean => (typeof text === 'string' ? message === text : text.test(message))
        const look = (): void => {
          const found = told.find(({ message }) => passes(message))
          if (!found) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve(found)
        }
        const timer = setTimeout(() => {
          watchers.delete(look)
          const heard = told.map(({ message }) => message).join(' | ')
          reject(new Error(`not told ${text} within ${PATIENCE_MS} ms; told ${heard || 'nothing'}`))
        }, PATIENCE_MS)
        watchers.add(look)
        look()
      }),
    close: () => source.close(),
  }
}
