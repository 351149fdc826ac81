import type { Socket } from 'socket.io'
import type { Clock } from '../../clock.ts'
import type { ReceiptStore } from '../../presence/receipt-store.ts'
import { ping } from './pings.ts'
import { type Client, type Here, standIns } from './stand-ins.ts'

export interface ReceiptsOptions {
  readonly store: ReceiptStore
  readonly clock: Clock
  /** The cursor of whoever has been told everything that this node has. */
  readonly pos: () => string
  /** Position of the event with which the presence of this person began; undefined = they have none. */
  readonly cameAt: (person: string) => bigint | undefined
  /** False: the log does not hold what this cursor is of, because it was put back or replaced. Must not reject. */
  readonly isKnown: (cursor: string) => Promise<boolean>
}

/**
 * How far clients have been told that do not say so themselves. What is pushed to such a connection is followed by a
 * ping, and its pong shows that it has arrived: what was written to a connection that turned out to be dead counts as
 * not told (MISSED-2). Which connection a new one takes the place of it may say itself (MISSED-8). Where it does not,
 * each that comes stands for one that is lost, or that nothing was heard of since, if there is such a one, now or when
 * its end is noticed (MISSED-4).
 */
export interface Receipts {
  /**
   * A connection of this person (`<org>.<id>`) has come, to which notices to `room` go; `replaces`: in whose place, as
   * it says itself. Gives the cursor after which it has to be told what a connection has missed that it takes the place
   * of; null: nothing.
   */
  arrived(socket: Socket, person: string, room: string, replaces: string | null): Promise<string | null> | null
  /** Of what it has missed, everything up to this cursor has been written to it; more may follow. */
  told(socket: Socket, cursor: string): void
  /** What it has missed, and what waited for it meanwhile, has been written to it; `wrote`: there was something. */
  caughtUp(socket: Socket, wrote: boolean): void
  /** A notice goes out to this room. */
  pushed(room: string): void
  /**
   * `meant`: nobody will come back for what it has missed. `heardAt`: until when its client was there, by
   * elapsed time.
   */
  ended(socket: Socket, end: { readonly meant: boolean; readonly heardAt: number }): void
}

export function receipts({ store, clock, pos, cameAt, isKnown }: ReceiptsOptions): Receipts {
  const bySocket = new Map<string, Client>()
  const byRoom = new Map<string, Here>()
  let dirty: Client[] = []

  const put = ({ person, socket, cursor, silent, named, isReplaced: isGuessed, isGone }: Client): void => {
    if (cursor !== null && !isGone) store.put(person, { socket: socket.id, cursor, silent, named, isGuessed })
  }

  const ask = (client: Client): void => {
    // As long as it is being told, it has what it had, and what was told so far.
    const upTo = client.isLive ? pos() : (client.toldTo ?? client.cursor)
    client.isDirty = false
    client.askedAt = clock.elapsed()
    ping(client.socket.conn, () => {
      client.askedAt = null
      if (client.over || client.isGone) return
      const isNews = client.cursor !== upTo || client.isReplaced || client.named.length > 0
      client.cursor = upTo
      client.isReplaced = false
      if (client.isLive) client.isOwed = false
      client.named = [] // it has been told its own name by now, and comes in its own place from now on
      if (isNews) put(client)
      places.standForItself(client)
      for (const settle of client.settling.splice(0)) settle()
      if (client.isDirty) ask(client)
    })
  }

  /** At the end of the turn: of many notices at once only the last is followed by a ping. */
  const askAll = (): void => {
    const all = dirty
    dirty = []
    for (const client of all)
      if ((client.isLive || client.toldTo !== null) && client.isDirty && client.askedAt === null) ask(client)
  }

  const onWritten = (client: Client): void => {
    if (client.isDirty) return
    client.isDirty = true
    if (dirty.length === 0) queueMicrotask(askAll)
    dirty.push(client)
  }

  const places = standIns({ store, clock, cameAt, bySocket, byRoom, ask, put })

  const begin = (client: Client, cursor: string): void => {
    client.cursor = cursor
    put(client)
    if (client.over) end(client)
  }

  const end = ({ person, socket, over }: Client): void => {
    if (over === 'meant') store.drop(person, socket.id)
    else store.lose(person, socket.id)
  }

  return {
    arrived(socket, person, room, replaces) {
      const here = byRoom.get(room) ?? { clients: new Set(), newcomers: [], turn: Promise.resolve() }
      const others = [...here.clients]
      const client: Client = {
        ...{ socket, person, room, replaces, cursor: null, silent: [], named: [], toldTo: null, isLive: false },
        ...{ over: null, isDirty: false, askedAt: null, isReplaced: false, isGone: false, settling: [], isOwed: false },
      }
      bySocket.set(socket.id, client)
      here.clients.add(client)
      byRoom.set(room, here)
      const now = pos()
      const known = store.of(person)
      if (others.length === 0 && !(known instanceof Promise) && known.length === 0) {
        begin(client, now)
        return null
      }
      // One after another: of two that come at once each takes another receipt.
      const turn = here.turn.then(async () => {
        const found = await places.find(client, others)
        return found !== null && (await isKnown(found)) ? found : null
      })
      here.turn = turn
      return turn.then((missing) => {
        client.isOwed = missing !== null
        begin(client, missing ?? now)
        return missing
      })
    },
    told(socket, cursor) {
      const client = bySocket.get(socket.id)
      if (!client) return
      client.toldTo = cursor
      onWritten(client)
    },
    caughtUp(socket, wrote) {
      const client = bySocket.get(socket.id)
      if (!client) return
      client.isLive = true
      if (wrote || client.isOwed) onWritten(client)
    },
    pushed(room) {
      for (const client of byRoom.get(room)?.clients ?? NOBODY) if (client.isLive) onWritten(client)
    },
    ended(socket, { meant, heardAt: at }) {
      const client = bySocket.get(socket.id)
      if (!client) return
      client.over = meant ? 'meant' : 'lost'
      if (!meant && places.isStoodFor(client, at)) client.isReplaced = true
      bySocket.delete(socket.id)
      const here = byRoom.get(client.room)
      here?.clients.delete(client)
      if (here?.clients.size === 0) byRoom.delete(client.room)
      for (const settle of client.settling.splice(0)) settle()
      if (client.isReplaced) put(client)
      if (client.cursor !== null) end(client) // as long as it is looked up, what it takes the place of is where it was
    },
  }
}

const NOBODY: readonly Client[] = []
