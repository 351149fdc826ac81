import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../faults/load.ts'
import { type OldSocket, oldIo } from '../support/old-client.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
const open: OldSocket[] = []
beforeAll(async () => {
  server = await startServer({ env: { DISCONNECT_GRACE_MS: '20000' } })
})
afterAll(async () => void (await server.stop()))
afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})

interface Old {
  readonly socket: OldSocket
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes, and tests look into them
  readonly heard: { readonly name: string; readonly data: any }[]
  ask(name: string, data: object): Promise<unknown[]>
  // biome-ignore lint/suspicious/noExplicitAny: see above
  told(name: string): Promise<any>
}

const NAMES = [
  ...['staff_init', 'visitor_init', 'append_unclaimed_chats', 'staff_join_room', 'staff_send', 'visitor_send'],
  ...['visitor_leave', 'staff_leave', 'error'],
]

function come(query: Record<string, string>, transports: readonly string[], header?: string): Old {
  const extraHeaders = header === undefined ? {} : { Authorization: header }
  const socket = oldIo(server.url, {
    ...{ query, transports, forceNew: true, reconnectionDelay: 10 },
    extraHeaders,
  })
  open.push(socket)
  const heard: Old['heard'] = []
  for (const name of NAMES) socket.on(name, (data: never) => void heard.push({ name, data }))
  return {
    socket,
    heard,
    ask: (name, data) => new Promise((answered) => socket.emit(name, data, (...answer: unknown[]) => answered(answer))),
    async told(name) {
      await until(() => heard.some((one) => one.name === name))
      return heard.find((one) => one.name === name)?.data
    },
  }
}

describe.each([['websocket'], ['polling'], ['polling', 'websocket']])(
  'socket.io-client 2.5 over %s %s',
  (...transports) => {
    const org = `old-${transports.join('-')}`

    test('[EIO-1] a visitor and an agent talk, with the token in the query and in the header', async () => {
      const token = await tokenFor('agent', 'ann', org)
      // The WebSocket that this client finds in Node, the browsers' one, sends no headers.
      const ann =
        transports[0] === 'polling' ? come({}, transports, `Bearer ${token}`) : come({ auth: token }, transports)
      expect(await ann.told('staff_init')).toMatchObject({ unclaimed_chats: [] })
      const vera = come({ auth: await tokenFor('visitor', 'vera', org) }, transports)
      expect((await vera.told('visitor_init')).chat).toBeNull()
      expect(await vera.ask('visitor_first_msg', { text: 'hello' })).toEqual([true, null])
      const { room } = await ann.told('append_unclaimed_chats')
      expect(await ann.ask('staff_join', { room: room.id })).toEqual([true, null])
      expect(await ann.ask('staff_msg', { room: room.id, content: { text: 'hi' } })).toEqual([true, null])
      expect(await vera.told('staff_send')).toMatchObject({ room: room.id, content: { text: 'hi' } })
      expect(await vera.ask('visitor_msg', { text: 'thanks' })).toEqual([true, null])
      await ann.told('visitor_send')
      expect((await ann.ask('staff_join', {}))[0]).toBe(false)
      vera.socket.close()
      await ann.told('visitor_leave')
    })

    test('[EIO-2] one who is lost comes back by itself and is pushed what it has missed', async () => {
      const ann = come({ auth: await tokenFor('agent', 'ann', org) }, transports)
      await ann.told('staff_init')
      const vera = come({ auth: await tokenFor('visitor', 'vic', org) }, transports)
      await vera.ask('visitor_first_msg', { text: 'hello' })
      const { room } = await ann.told('append_unclaimed_chats')
      await ann.ask('staff_join', { room: room.id })
      await vera.told('staff_join_room')
      vera.socket.io.engine.close()
      expect(await ann.ask('staff_msg', { room: room.id, content: { text: 'while you were away' } })).toEqual([
        true,
        null,
      ])
      expect((await vera.told('staff_send')).content).toEqual({ text: 'while you were away' })
      expect(ann.heard.filter(({ name }) => name === 'visitor_leave')).toEqual([])
    })
  },
)

test('[EIO-3] a bad token is told as an error, and a bad handshake is answered 401', async () => {
  const nobody = come({}, ['websocket'])
  expect(await nobody.told('error')).toMatchObject({ code: 401 })
  expect((await fetch(`${server.url}/socket.io/?EIO=3&transport=polling&auth=nonsense`)).status).toBe(401)
})
