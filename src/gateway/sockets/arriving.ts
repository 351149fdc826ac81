import type { Socket } from 'socket.io'
import { isStaff } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Clock } from '../../clock.ts'
import type { Absence, CatchUp } from '../../delivery/catch-up.ts'
import type { Connection } from '../../delivery/connection.ts'
import type { Opening, Served } from '../../delivery/contract.ts'
import { type Cursor, cursorOf, posOf } from '../../delivery/cursor.ts'
import type { Follower } from '../../delivery/follower.ts'
import { hubRoom, personRoom } from '../../delivery/notice.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import type { Farewell, Retold } from '../../delivery/subscriptions.ts'
import { LogUnavailable } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { ViewsBehind, ViewsUnavailable } from '../../views/store.ts'
import { httpRefusals } from '../refusals.ts'
import { refusalFor } from './connection-refused.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import { drained } from './connections.ts'
import type { CursorSockets } from './cursor-sockets.ts'
import { type HeldEvents, holdEvents } from './held-events.ts'
import { sendAway } from './outlet.ts'
import type { Receipts } from './receipts.ts'
import type { SocketData } from './session.ts'

export interface ArrivingOptions {
  readonly contracts: readonly Pick<Served, 'rooms' | 'prepare' | 'arrive' | 'subscriptions'>[]
  readonly entities: Pick<Entities, 'state'>
  readonly profiles: Pick<ProfileCache, 'get'>
  readonly registry: Pick<ConnectionRegistry, 'probeOthers'>
  readonly follower: Pick<Follower, 'position' | 'pos' | 'until'>
  readonly catchUp: CatchUp
  readonly cursorSockets: CursorSockets
  readonly receipts: Receipts
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

/** This node hears within milliseconds of what another one has told. */
const HEARD_MS = 10_000
/** Openings that go on being behind what is pushed; then the client is to try again. */
const MAX_ROUNDS = 10

/**
 * What a connection is told on arrival: what it has missed, if it comes back; what was pushed meanwhile; how it stands.
 * It enters its rooms at once: what is recorded later comes as a push, what was recorded before is made from the log
 * and the models. Where that has to be read first, pushes wait until it is told.
 */
export function arriving(options: ArrivingOptions): (socket: Socket) => void {
  const { contracts, entities, profiles, registry, follower, catchUp, cursorSockets, receipts, onError } = options

  const tellOpenings = (socket: Socket): void => {
    const { connection, arrival, resumption } = socket.data as SocketData
    let probe = false
    for (const contract of contracts) if (contract.arrive?.(connection) === 'probe') probe = true
    if (probe) void registry.probeOthers(arrival, socket.id) // never rejects
    // From here on they can come back, whatever they have been told.
    if (resumption.withCursors && !connection.isResumed()) connection.emit('cursor', { pos: follower.pos() })
  }

  const prepared = (connection: Connection): readonly (Opening | Promise<Opening>)[] => {
    const openings = connection.isResumed() ? [] : contracts.flatMap(({ prepare }) => prepare?.(connection) ?? [])
    // They are waited for after what was missed is told, and may fail before.
    for (const opening of openings) if (opening instanceof Promise) opening.catch(() => undefined)
    return openings
  }

  const subscriptions = contracts.flatMap((contract) => contract.subscriptions ?? [])

  /**
   * What another node has told them, this one may still have to hear: pushes of it are not theirs. Gives up to where
   * they are told from the log.
   */
  const heardUpTo = async (after: Cursor | null, upTo: bigint, held: HeldEvents): Promise<bigint> => {
    const position = after?.position ?? -1n
    if (position <= upTo) return upTo
    await heard(position)
    held.drop()
    return follower.position()
  }

  const heard = async (position: bigint): Promise<void> => {
    if (!(await follower.until(() => follower.position() >= position, AbortSignal.timeout(HEARD_MS))))
      throw new LogUnavailable('this node is behind what the client has been told, or what it is told next')
  }

  /** Enters again what a client had subscribed to that goes on: from then on it is told what happens there, too. */
  const restore = async (socket: Socket, absence: Absence, held: HeldEvents): Promise<Returned> => {
    const { connection, resumption } = socket.data as SocketData
    const { client } = connection
    const topics = resumption.isRecovered && client ? (await entities.state('client', client)).state.context.topics : []
    if (topics.length === 0) return { absence, retold: [], farewells: [] }
    const after = absence.after?.position ?? -1n
    const restored = (await Promise.all(subscriptions.map((one) => one.restore(topics, connection, after)))).flat()
    const farewells = restored.flatMap(({ farewell }) => farewell ?? []).sort(byPosition)
    const last = farewells.at(-1)
    if (last) await heard(last.endedBy.position)
    // In this turn: what waits is told from the log, with what happened in these rooms; what comes is pushed.
    held.drop()
    cursorSockets.add(socket, follower.pos())
    const cursor = cursorSockets.cursorOf(socket)
    const retold = restored.flatMap(({ tell }) => (tell ? { ...tell(), cursor } : []))
    const rooms = [...absence.rooms, ...restored.flatMap((one) => one.rooms)]
    const stays = new Map(
      restored.flatMap(({ rooms, stay }) => (stay ? rooms.map((room) => [room, stay] as const) : [])),
    )
    return { absence: { ...absence, rooms, stays, upTo: follower.position() }, retold, farewells }
  }

  /** Gives whether there was anything. */
  const tellMissed = async (socket: Socket, held: HeldEvents, missed: Missed): Promise<boolean> => {
    const { connection, resumption } = socket.data as SocketData
    const after = await missed.after
    if (after === undefined) return false
    const { isResumed: moves, isOpen: isWanted } = connection
    const upTo = await heardUpTo(after, missed.upTo, held)
    const hearer = { hearer: connection, namespaces: [socket.nsp.name], moves: moves(), isWanted }
    const { absence, retold, farewells } = await restore(socket, { ...hearer, rooms: missed.rooms, after, upTo }, held)
    missed.restored()
    /** That something is over is told where it was over. */
    const bidFarewells = (before: bigint): void => {
      for (let next = farewells[0]; next && next.endedBy.position < before; next = farewells[0]) {
        held.emit(next.name, next.data, posOf(next.endedBy))
        farewells.shift()
        wrote = true
      }
    }
    let wrote = false
    for await (const page of catchUp(absence)) {
      if (!connection.isOpen()) return wrote
      for (const { name, data, cursor, complete } of page) {
        bidFarewells(positionOf(cursor))
        if (complete) await drained(socket.conn) // it may be large
        const full = complete ? await complete() : data
        if (full) held.emit(name, full, ...(resumption.withCursors ? [cursor] : []))
      }
      wrote = true
      const last = page.at(-1)
      if (last) receipts.told(socket, last.cursor)
      await drained(socket.conn)
    }
    bidFarewells(absence.upTo + 1n)
    for (const { name, data, pos, cursor } of retold) if (isNews(pos, after)) held.emit(name, data, cursor)
    return wrote || retold.length > 0
  }

  /** What cannot be told again is told as it stands. */
  const orHowItStands = (socket: Socket, held: HeldEvents) => (error: unknown) => {
    // Behind is for a moment: the client comes again, and is told from where it stands.
    if (!(error instanceof ViewsUnavailable) || error instanceof ViewsBehind) throw error
    const data = socket.data as SocketData
    data.isResumed = false
    held.emit('cursor_unknown', {
      after: null,
      code: 'views-unavailable',
      message: 'what you have missed cannot be looked up at the moment: you are told how it stands instead',
    })
    return false
  }

  const settle = async (socket: Socket, missed: Missed, first: ReturnType<typeof prepared>): Promise<void> => {
    const held = holdEvents(socket)
    try {
      await settled(socket, missed, first, held)
    } finally {
      held.end() // its connection of Engine.IO may go on, and come back into this namespace
    }
  }

  const settled = async (
    socket: Socket,
    missed: Missed,
    first: ReturnType<typeof prepared>,
    held: HeldEvents,
  ): Promise<void> => {
    const { connection } = socket.data as SocketData
    let wrote = await tellMissed(socket, held, missed).catch(orHowItStands(socket, held))
    let preparing = connection.isResumed() || first.length > 0 ? first : prepared(connection)
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const openings = await Promise.all(preparing)
      if (!connection.isOpen()) return
      // In one turn: what waited goes out, then the openings, which show what it told.
      wrote = held.release() || wrote
      if (openings.every((tell) => tell())) {
        receipts.caughtUp(socket, wrote)
        return tellOpenings(socket)
      }
      preparing = prepared(connection)
    }
    // Also when this node has heard of a past that the log has lost: it will find out (decision 0033).
    throw new LogUnavailable(`what a new connection is told was behind ${MAX_ROUNDS} times`)
  }

  /** After what it has to be told again; undefined = nothing. */
  const missedBy = (socket: Socket, room: string): Missed['after'] => {
    const { connection, resumption } = socket.data as SocketData
    const { kind, party } = connection
    if (resumption.after !== undefined) return resumption.after
    // Elsewhere nothing is addressed to a person.
    if (socket.nsp.name !== '/') return undefined
    // Staff are told how it stands.
    if (kind === 'hub' || resumption.withCursors || isStaff(party.role)) return undefined
    const found = receipts.arrived(socket, personName(party), room, resumption.replaces)
    return found === null ? undefined : found.then((pos) => (pos === null ? undefined : cursorOf(pos)))
  }

  return (socket) => {
    const { connection, resumption } = socket.data as SocketData
    const { party, kind } = connection
    const own = kind === 'hub' ? hubRoom(party) : personRoom(party)
    const rooms = [own, ...contracts.flatMap((contract) => contract.rooms?.(connection) ?? [])]
    // The in-memory adapter joins at once.
    void socket.join(rooms)
    if (resumption.withCursors) cursorSockets.add(socket, follower.pos())
    // Who is disabled from now on is sent away by the outlet; who was disabled while being let in, here.
    if (profiles.get(party)?.disabled) {
      sendAway(socket, 'this account is disabled')
      return
    }
    const broken = (error: unknown): void => {
      if (refusalFor(error) === undefined) {
        onError(error, 'an arrival')
        socket.emit('error', { message: 'something broke on our side; it has been logged' })
      }
      socket.conn.close() // lost, not sent away: clients try again by themselves
    }
    try {
      if (resumption.unknown !== null) connection.emit('cursor_unknown', unknownCursor(resumption.unknown))
      const after = missedBy(socket, own)
      const openings = prepared(connection)
      if (after !== undefined || openings.some((opening) => opening instanceof Promise)) {
        const missed = { after, rooms, upTo: follower.position(), restored: holdsBackCalls(socket) }
        return void settle(socket, missed, openings).catch(broken).finally(missed.restored)
      }
      for (const tell of openings) (tell as Opening)() // of this very turn, so that nothing is behind
      receipts.caughtUp(socket, false)
      tellOpenings(socket)
    } catch (error) {
      broken(error)
    }
  }
}

/**
 * What a client asks as soon as it is back is asked of what it comes back to: who joins again has been in all the time,
 * and who leaves is out. Gives what lets its calls go on.
 */
function holdsBackCalls(socket: Socket): () => void {
  const { resumption, lane } = socket.data as SocketData
  const { promise, resolve } = Promise.withResolvers<void>()
  if (resumption.isRecovered) lane.addAlways(() => promise)
  return resolve
}

interface Missed {
  readonly after: Cursor | null | undefined | Promise<Cursor | null | undefined>
  /** The rooms of its connection. */
  readonly rooms: readonly string[]
  /** Position of the last event whose notices it may have missed. */
  readonly upTo: bigint
  /** It is in again where it was. */
  readonly restored: () => void
}

/** What a client that goes on has missed, and how things stand that it had subscribed to. */
interface Returned {
  readonly absence: Absence
  readonly retold: readonly (Retold & { readonly cursor: string })[]
  /** In the order of the log. */
  readonly farewells: Farewell[]
}

const byPosition = ({ endedBy: a }: Farewell, { endedBy: b }: Farewell): number => (a.position < b.position ? -1 : 1)

const positionOf = (pos: string): bigint => cursorOf(pos)?.position ?? -1n

const isNews = (pos: string | null, after: Cursor | null): boolean =>
  pos === null || after === null || positionOf(pos) > after.position

const unknownCursor = (after: string) => ({
  after,
  code: 'cursor-unknown',
  message: httpRefusals['cursor-unknown'][1],
})
