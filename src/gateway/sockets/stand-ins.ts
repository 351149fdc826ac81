import type { Socket } from 'socket.io'
import type { Clock } from '../../clock.ts'
import { cursorOf, isAfter } from '../../delivery/cursor.ts'
import type { Receipt, ReceiptStore } from '../../presence/receipt-store.ts'
import { heardAt } from './connections.ts'

export interface StandInsOptions {
  readonly store: ReceiptStore
  readonly clock: Clock
  /** See `ReceiptsOptions`. */
  readonly cameAt: (person: string) => bigint | undefined
  /** All of this node, by the ids of their sockets. */
  readonly bySocket: ReadonlyMap<string, Client>
  readonly byRoom: ReadonlyMap<string, Here>
  /** Asks whether it is there. */
  readonly ask: (client: Client) => void
  /** Puts its receipt. */
  readonly put: (client: Client) => void
}

/** Which connection a new one takes the place of, see `Receipts`. */
export interface StandIns {
  /** The cursor of the one that it takes the place of, of those (`others`) that were there when it came; null: none. */
  find(client: Client, others: readonly Client[]): Promise<string | null>
  /** Somebody who has come since stands for it: they were asked then whether they are there, and had time to answer. */
  isStoodFor(client: Client, heardAt: number): boolean
  /** It is there, so nobody has come in its place. */
  standForItself(client: Client): void
}

/** How long a client may take to say that it has what it was pushed, before it counts as silent. */
const ANSWER_MS = 1_500
/**
 * Who was asked and has said nothing for so long is stood for by whoever came meanwhile. Generous: whoever is taken for
 * dead and is only slow may miss something, while one who is dead for longer costs a repetition.
 */
const DEAD_MS = 10_000
/** How often those are asked that may be dead. */
const ROUNDS = 3
/** So many tabs that nothing was lost of need not be remembered. */
const MAX_NEWCOMERS = 50
/** So many silent ones are remembered over the end of the process, and so many in whose place one has come. */
const MAX_SILENT = 10
/** Of so many that somebody may have come in the place of, those who name them are told still. */
const MAX_GUESSED = 20

/** The connections to one room. */
export interface Here {
  readonly clients: Set<Client>
  readonly newcomers: Newcomer[]
  /** The last one that looks for what it has missed. */
  turn: Promise<unknown>
}

/** One that came when nothing was known to be lost: it may stand for one of those that were here. */
interface Newcomer {
  /** It, or the one that has come in its place. */
  client: Client
  readonly at: number
  /** Those were asked when it came, and have said nothing since. */
  readonly silent: Set<Client>
}

/** One connection of this node. */
export interface Client {
  readonly socket: Socket
  readonly person: string
  readonly room: string
  /** In whose place it comes, as it says itself. */
  readonly replaces: string | null
  /** What it is known to have; null as long as that is looked up. */
  cursor: string | null
  /** By their sockets, the ones that it may stand for, see `Receipt`. */
  silent: readonly string[]
  /** See `Receipt`. */
  named: readonly string[]
  /** As long as it is being told what it has missed: up to where that was written. */
  toldTo: string | null
  /** It has been written what it had missed: pushes go out at once. */
  isLive: boolean
  over: 'meant' | 'lost' | null
  /** Something was written to it after the last ping. */
  isDirty: boolean
  /** When a ping was sent that is not answered yet, by elapsed time. */
  askedAt: number | null
  /** Another one has come in its place, as far as anybody can tell. */
  isReplaced: boolean
  /** Another one has come in its place, and said so. */
  isGone: boolean
  /** They wait until it has answered, or has ended. */
  readonly settling: (() => void)[]
  /** It has taken the place of another one, and has not shown yet that it has what that one missed. */
  isOwed: boolean
}

export function standIns({ store, clock, cameAt, bySocket, byRoom, ask, put }: StandInsOptions): StandIns {
  const standForItself = (client: Client): void => {
    const here = byRoom.get(client.room)
    for (const newcomer of [...(here?.newcomers ?? [])]) {
      if (!newcomer.silent.delete(client)) continue
      if (newcomer.silent.size === 0) here?.newcomers.splice(here.newcomers.indexOf(newcomer), 1)
      if (newcomer.client.silent.includes(client.socket.id)) remember(newcomer)
    }
  }

  /** What it may stand for outlives this process with its receipt. */
  const remember = ({ client, silent }: Newcomer): void => {
    client.silent = [...silent].slice(0, MAX_SILENT).map(({ socket }) => socket.id)
    if (bySocket.get(client.socket.id) === client) put(client)
  }

  /** Resolves when it has said that it has everything, or has taken too long. */
  const settled = async (client: Client): Promise<void> => {
    if (client.askedAt === null && !client.isOwed) return
    const leftMs = (client.askedAt ?? clock.elapsed()) + ANSWER_MS - clock.elapsed()
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
    put(client)
  }

  /** By a guess: its client may still come, and name it. */
  const giveUp = (person: string, { isLost, ...receipt }: Receipt): void => {
    const client = bySocket.get(receipt.socket)
    if (client) replace(client)
    else store.put(person, { ...receipt, isGuessed: true })
    if (isLost) store.lose(person, receipt.socket)
  }

  /** That it goes on where this one was. */
  const handOn = (client: Client, from: string): void => {
    for (const newcomer of byRoom.get(client.room)?.newcomers ?? [])
      if (newcomer.client.socket.id === from) newcomer.client = client
  }

  /** Takes the receipt of the one that it names, or of one that came in that one's place and was lost as well. */
  const claim = (client: Client, named: string, all: readonly Receipt[]): string | null => {
    const its = all.find(({ socket }) => socket === named) ?? all.find((receipt) => receipt.named.includes(named))
    if (!its) return null
    const before = bySocket.get(its.socket)
    if (before) before.isGone = true
    store.drop(client.person, its.socket)
    client.silent = its.silent
    client.named = [...new Set([named, its.socket, ...its.named])].slice(0, MAX_SILENT)
    handOn(client, its.socket)
    return its.cursor
  }

  /** Takes the receipt of the one that has missed most; other lost ones may be that one, and keep as much. */
  const take = (client: Client, among: readonly Receipt[]): string | null => {
    const [first, ...others] = [...among].sort(byCursor)
    if (!first) return null
    const { person } = client
    for (const { isLost, ...other } of others) {
      if (!isLost) continue
      store.put(person, { ...other, cursor: first.cursor })
      store.lose(person, other.socket)
    }
    giveUp(person, first)
    client.silent = first.silent
    handOn(client, first.socket)
    return first.cursor
  }

  /** Of these, those that nobody has come in the place of: each that came stands for one that was silent since. */
  const withoutReplaced = (person: string, some: readonly Receipt[], all: readonly Receipt[]): readonly Receipt[] => {
    const left = new Map(some.map((receipt) => [receipt.socket, receipt]))
    for (const receipt of [...all].sort(byCursor)) {
      const replaced = left.get(receipt.silent.find((socket) => left.has(socket)) ?? '')
      if (!replaced) continue
      left.delete(replaced.socket)
      giveUp(person, replaced)
      standsForNobody(person, receipt)
    }
    return [...left.values()]
  }

  /** Any more: each stands for one only. */
  const standsForNobody = (person: string, receipt: Receipt): void => {
    const client = bySocket.get(receipt.socket)
    if (client) {
      client.silent = []
      put(client)
      const newcomers = byRoom.get(client.room)?.newcomers ?? []
      const index = newcomers.findIndex((newcomer) => newcomer.client === client)
      if (index >= 0) newcomers.splice(index, 1)
      return
    }
    store.put(person, { ...receipt, silent: [] })
    if (receipt.isLost) store.lose(person, receipt.socket)
  }

  /** Of the presence that goes on; what was missed in one that is over is nobody's. */
  const receiptsOf = async (person: string, except: string): Promise<readonly Receipt[]> => {
    const since = cameAt(person) ?? 0n
    const all = await store.of(person)
    return all.filter(({ socket, cursor }) => socket !== except && (cursorOf(cursor)?.position ?? -1n) >= since)
  }

  const silentAmong = (all: readonly Receipt[]): readonly Receipt[] =>
    all.filter(({ socket, isGuessed }) => {
      if (isGuessed) return false
      const here = bySocket.get(socket)
      return here === undefined || isSilent(here) // of other nodes' nobody knows: what they have confirmed is known
    })

  const isStoodFor = (client: Client, heardAt: number): boolean => {
    const newcomers = byRoom.get(client.room)?.newcomers ?? []
    const isFor = ({ at, silent }: Newcomer) => silent.has(client) && at > heardAt && clock.elapsed() - at > DEAD_MS
    const index = newcomers.findIndex(isFor)
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

  /** Clients that name nobody never ask for these again. */
  const forget = (person: string, all: readonly Receipt[]): void => {
    const guessed = all.filter(({ isGuessed }) => isGuessed).sort(byCursor)
    for (const { socket } of guessed.slice(0, -MAX_GUESSED)) store.drop(person, socket)
  }

  const find = async (client: Client, others: readonly Client[]): Promise<string | null> => {
    const { person, socket } = client
    const all = await receiptsOf(person, socket.id)
    if (client.replaces !== null) return claim(client, client.replaces, all)
    forget(person, all)
    const isLost = ({ isLost, isGuessed }: Receipt): boolean => isLost && !isGuessed
    const lost = withoutReplaced(person, all.filter(isLost), all)
    if (lost.length > 0) return take(client, lost)
    await Promise.all(others.map((other) => (isSilent(other) ? settled(other) : undefined)))
    // Whoever is silent now has had the time to answer: who came meanwhile may stand for them.
    for (const newcomer of byRoom.get(client.room)?.newcomers ?? [])
      if ([...newcomer.silent].some(isSilent)) remember(newcomer)
    for (const other of others) if (isSilent(other) && isStoodFor(other, heardAt(other.socket.conn))) replace(other)
    const now = await receiptsOf(person, socket.id)
    const silent = withoutReplaced(person, silentAmong(now), now)
    if (silent.length > 0) return take(client, silent)
    // Those that have everything may be dead all the same: whoever is not says so when asked.
    const here = byRoom.get(client.room)
    const mayBeDead = others.filter(({ isReplaced }) => !isReplaced)
    if (!here || mayBeDead.length === 0) return null
    const newcomer = { client, at: clock.elapsed(), silent: new Set(mayBeDead) }
    here.newcomers.push(newcomer)
    if (here.newcomers.length > MAX_NEWCOMERS) here.newcomers.shift()
    clock.after(ANSWER_MS, () => here.newcomers.includes(newcomer) && remember(newcomer))
    findDead(mayBeDead, clock.elapsed(), ROUNDS)
    return null
  }

  return { find, isStoodFor, standForItself }
}

/** Those come first that know least. */
const byCursor = (a: Receipt, b: Receipt): number => (isAfter(a.cursor, b.cursor) ? 1 : -1)

/** It was asked, or written to, and nothing was heard of it; and nobody has come in its place. */
const isSilent = ({ askedAt, isDirty, isOwed, isReplaced }: Client): boolean =>
  (askedAt !== null || isDirty || isOwed) && !isReplaced
