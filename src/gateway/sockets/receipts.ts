import type { Socket } from 'socket.io'
import type { Clock } from '../../clock.ts'
import { cursorOf, isAfter } from '../../delivery/cursor.ts'
import type { Receipt, ReceiptStore } from '../../presence/receipt-store.ts'
import { heardAt } from './connections.ts'
import { ping } from './pings.ts'

export interface ReceiptsOptions {
  readonly store: ReceiptStore
  readonly clock: Clock
  /** The cursor of whoever has been told everything that this node has. */
  readonly pos: () => string
  /** Position of the event with which the presence of this person began; undefined = they have none. */
  readonly cameAt: (person: string) => bigint | undefined
}

/**
 * How far clients have been told that do not say so themselves. What is pushed to such a connection is followed by a
 * ping, and its pong shows that it has arrived: what was written to a connection that turned out to be dead counts as
 * not told (MISSED-2). Which connection a new one takes the place of nobody says: each that comes stands for one that
 * is lost, or that nothing was heard of since, if there is such a one, now or when its end is noticed (MISSED-4).
 */
export interface Receipts {
  /**
   * A connection of this person (`<org>.<id>`) has come, to which notices to `room` go. Gives the cursor after which it
   * has to be told what a connection has missed that it takes the place of; null: nothing.
   */
  arrived(socket: Socket, person: string, room: string): Promise<string | null> | null
  /** What it has missed, and what waited for it meanwhile, has been written to it; `wrote`: there was something. */
  caughtUp(socket: Socket, wrote: boolean): void
  /** A notice goes out to this room. */
  pushed(room: string): void
  /** `meant`: nobody will come back for what it has missed. `heardAt`: until when its client was there. */
  ended(socket: Socket, end: { readonly meant: boolean; readonly heardAt: number }): void
}

/** How long a client may take to say that it has what it was pushed, before it counts as silent. */
const ANSWER_MS = 1_500

/** How often those are asked that may be dead. */
const ROUNDS = 3
/** So many tabs that nothing was lost of need not be remembered. */
const MAX_NEWCOMERS = 50

/** The connections to one room. */
interface Here {
  readonly clients: Set<Client>
  /** When those came that stand for nobody so far. */
  readonly newcomers: number[]
  /** The last one that looks for what it has missed. */
  turn: Promise<unknown>
}

/**
 * Who was asked and has said nothing for so long is stood for by whoever came meanwhile. Generous: whoever is taken for
 * dead and is only slow may miss something, while one who is dead for longer costs a repetition.
 */
const DEAD_MS = 10_000

/** One connection of this node. */
interface Client {
  readonly socket: Socket
  readonly person: string
  readonly room: string
  /** What it is known to have; null as long as that is looked up. */
  cursor: string | null
  /** It has been written what it had missed: pushes go out at once. */
  isLive: boolean
  over: 'meant' | 'lost' | null
  /** Something was written to it after the last ping. */
  isDirty: boolean
  /** When a ping was sent that is not answered yet. */
  askedAt: number | null
  /** Another one has come in its place, as far as anybody can tell. */
  isReplaced: boolean
  settling: (() => void)[]
}

export function receipts({ store, clock, pos, cameAt }: ReceiptsOptions): Receipts {
  const bySocket = new Map<string, Client>()
  const byRoom = new Map<string, Here>()
  let dirty: Client[] = []

  const ask = (client: Client): void => {
    const upTo = pos()
    client.isDirty = false
    client.askedAt = clock.now()
    ping(client.socket.conn, () => {
      client.askedAt = null
      if (client.over) return
      if (client.cursor !== upTo || client.isReplaced) store.put(client.person, client.socket.id, upTo)
      client.cursor = upTo
      client.isReplaced = false
      for (const settle of client.settling.splice(0)) settle()
      if (client.isDirty) ask(client)
    })
  }

  /** At the end of the turn: of many notices at once only the last is followed by a ping. */
  const askAll = (): void => {
    const all = dirty
    dirty = []
    for (const client of all) if (client.isLive && client.isDirty && client.askedAt === null) ask(client)
  }

  const onWritten = (client: Client): void => {
    if (client.isDirty) return
    client.isDirty = true
    if (dirty.length === 0) queueMicrotask(askAll)
    dirty.push(client)
  }

  const isSilent = ({ askedAt, isDirty, isReplaced }: Client): boolean => (askedAt !== null || isDirty) && !isReplaced

  /** Resolves when it has said that it has everything, or has taken too long. */
  const settled = async (client: Client): Promise<void> => {
    if (client.askedAt === null) return
    const leftMs = Math.min(ANSWER_MS, client.askedAt + ANSWER_MS - clock.now())
    if (leftMs <= 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.after(leftMs, resolve)
      client.settling.push(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  const replace = (client: Client): void => {
    client.isReplaced = true
    store.drop(client.person, client.socket.id)
  }

  /** Takes the receipt of the one that has missed most; other lost ones may be that one, and keep as much. */
  const take = (person: string, among: readonly Receipt[]): string | null => {
    const [first, ...others] = [...among].sort((a, b) => (isAfter(a.cursor, b.cursor) ? 1 : -1))
    if (!first) return null
    for (const { socket, isLost } of others) {
      if (!isLost) continue
      store.put(person, socket, first.cursor)
      store.lose(person, socket)
    }
    const client = bySocket.get(first.socket)
    if (client) replace(client)
    else store.drop(person, first.socket)
    return first.cursor
  }

  /** Of the presence that goes on; what was missed in one that is over is nobody's. */
  const receiptsOf = async (person: string, except: string): Promise<readonly Receipt[]> => {
    const since = cameAt(person) ?? 0n
    const all = await store.of(person)
    return all.filter(({ socket, cursor }) => socket !== except && (cursorOf(cursor)?.position ?? -1n) >= since)
  }

  const silentAmong = (all: readonly Receipt[]): readonly Receipt[] =>
    all.filter(({ socket }) => {
      const here = bySocket.get(socket)
      return here === undefined || isSilent(here) // of other nodes' nobody knows: what they have confirmed is known
    })

  /** Somebody who has come since stands for it: they were asked then whether they are there, and had time to answer. */
  const isStoodFor = ({ room }: Client, heardAt: number): boolean => {
    const newcomers = byRoom.get(room)?.newcomers ?? []
    const index = newcomers.findIndex((at) => at > heardAt && clock.now() - at > DEAD_MS)
    if (index < 0) return false
    newcomers.splice(index, 1)
    return true
  }

  /**
   * Whoever says nothing now has been stood for: nobody comes back for them, whatever becomes of this node. `since`:
   * when somebody came who may stand for one of them.
   */
  const findDead = (others: readonly Client[], since: number, rounds: number): void => {
    const silent = others.filter((other) => !other.over && !other.isReplaced && heardAt(other.socket.conn) <= since)
    for (const other of silent) {
      if (other.askedAt === null) ask(other)
      else if (isStoodFor(other, heardAt(other.socket.conn))) replace(other)
    }
    if (silent.length > 0 && rounds > 0) clock.after(DEAD_MS + 500, () => findDead(silent, since, rounds - 1))
  }

  const find = async (client: Client, others: readonly Client[]): Promise<string | null> => {
    const { person, socket } = client
    const all = await receiptsOf(person, socket.id)
    const lost = all.filter(({ isLost }) => isLost)
    if (lost.length > 0) return take(person, lost)
    await Promise.all(others.map((other) => (isSilent(other) ? settled(other) : undefined)))
    for (const other of others) if (isSilent(other) && isStoodFor(other, heardAt(other.socket.conn))) replace(other)
    const silent = silentAmong(await receiptsOf(person, socket.id))
    if (silent.length > 0) return take(person, silent)
    // Those that have everything may be dead all the same: whoever is not says so when asked.
    const here = byRoom.get(client.room)
    if (!here || others.length === 0) return null
    here.newcomers.push(clock.now())
    if (here.newcomers.length > MAX_NEWCOMERS) here.newcomers.shift()
    findDead(others, clock.now(), ROUNDS)
    return null
  }

  const begin = (client: Client, cursor: string): void => {
    client.cursor = cursor
    store.put(client.person, client.socket.id, cursor)
    if (client.over) end(client)
  }

  const end = ({ person, socket, over, isReplaced }: Client): void => {
    if (over === 'meant' || isReplaced) store.drop(person, socket.id)
    else store.lose(person, socket.id)
  }

  return {
    arrived(socket, person, room) {
      const here = byRoom.get(room) ?? { clients: new Set(), newcomers: [], turn: Promise.resolve() }
      const others = [...here.clients]
      const client: Client = {
        ...{ socket, person, room, cursor: null, isLive: false, over: null, isDirty: false },
        ...{ askedAt: null, isReplaced: false, settling: [] },
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
      const turn = here.turn.then(() => find(client, others))
      here.turn = turn
      return turn.then((missing) => {
        begin(client, missing ?? now)
        return missing
      })
    },
    caughtUp(socket, wrote) {
      const client = bySocket.get(socket.id)
      if (!client) return
      client.isLive = true
      if (wrote) onWritten(client)
    },
    pushed(room) {
      for (const client of byRoom.get(room)?.clients ?? NOBODY) if (client.isLive) onWritten(client)
    },
    ended(socket, { meant, heardAt: at }) {
      const client = bySocket.get(socket.id)
      if (!client) return
      client.over = meant || isStoodFor(client, at) ? 'meant' : 'lost'
      bySocket.delete(socket.id)
      const here = byRoom.get(client.room)
      here?.clients.delete(client)
      if (here?.clients.size === 0) byRoom.delete(client.room)
      for (const settle of client.settling.splice(0)) settle()
      if (client.cursor !== null) end(client) // as long as it is looked up, what it takes the place of is where it was
    },
  }
}

const NOBODY: readonly Client[] = []
