import { type Client, connect } from '../support/client.ts'
import { type TestServer, tokenFor } from '../support/server.ts'

export type Transport = 'websocket' | 'polling'
type Options = Parameters<typeof connect>[1]

/** An organisation of its own on a running server, so that tests that share the server never hear each other. */
export interface Company {
  readonly org: string
  /**
   * A real client of this person, with the token in `auth.token`, where browsers can put one. Its name and display are
   * the id.
   */
  join(role: string, id: string, options?: Options, claims?: Readonly<Record<string, unknown>>): Promise<Client>
  /**
   * Waits until all these staff clients were told of something that happened after everything that was acknowledged so
   * far.
   */
  fence(...staff: readonly Client[]): Promise<void>
  /** A visitor's new chat: the visitor's client and the chat's id, once `witness` (staff) was told. */
  chat(visitor: string, witness: Client, content?: object): Promise<{ visitor: Client; room: string }>
  /** GET (or what `init` says) with a token of this role. */
  http(role: string, path: string, init?: RequestInit): Promise<Response>
  /** What is recorded of a chat, as `/api/v1/chats/:room/events` tells it. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of many shapes
  events(room: string): Promise<any[]>
  close(): void
}

let companies = 0

/** `org`: one that exists already, after a restart. */
export function company(
  server: TestServer,
  transport: Transport = 'websocket',
  org = `org${process.pid}-${++companies}`,
): Company {
  const clients: Client[] = []
  let fences = 0

  const it: Company = {
    org,
    async join(role, id, options = {}, claims = {}) {
      const token = await tokenFor(role, id, org, claims)
      const client = await connect(server.url, { transports: [transport], auth: { token }, ...options })
      clients.push(client)
      return client
    },
    async fence(...staff) {
      const id = `fence-${++fences}`
      const passer = await it.join('visitor', id)
      await Promise.all(staff.map((one) => one.told('visitor_goes_online', ({ user }) => user.id === id)))
      passer.close()
      await Promise.all(staff.map((one) => one.told('visitor_goes_offline', ({ user }) => user.id === id)))
    },
    async chat(id, witness, content = { text: `I am ${id}` }) {
      const visitor = await it.join('visitor', id)
      await visitor.ask('visitor_first_msg', content)
      const { room } = await witness.told('append_unclaimed_chats', ({ user }) => user.id === id)
      return { visitor, room: room.id }
    },
    async http(role, path, init = {}) {
      const token = await tokenFor(role, `http-${role}`, org)
      return fetch(`${server.url}${path}`, { ...init, headers: { Authorization: `Bearer ${token}`, ...init.headers } })
    },
    async events(room) {
      const { data } = (await (await it.http('admin', `/api/v1/chats/${room}/events?limit=1000`)).json()) as {
        data: object[]
      }
      return data
    },
    close() {
      for (const client of clients.splice(0)) client.close()
    },
  }
  return it
}
