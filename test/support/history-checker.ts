import { posOf } from '../../src/delivery/cursor.ts'
import type { Recorded } from '../../src/log/log.ts'

/**
 * One recorded event of a chat. `call` is what its message says in `content.call`, the name that the client gave its
 * call.
 */
export interface Fact {
  readonly room: string
  readonly seq: number
  readonly id: string
  readonly pos: bigint
  readonly type: string
  readonly call: string | null
}

/** What a server promised a client. `id` null = it was done without an event (asked twice, for example). */
export interface Acked {
  readonly client: string
  readonly call: string
  readonly room: string
  readonly seq: number
  readonly id: string | null
  /**
   * Its place among all calls of the client, by when each was first sent. After a lost connection the client must
   * repeat what was not answered in this order, and before anything new.
   */
  readonly sent: number
  /** It was refused with a code that says "repeat", and done when it came again: later than what was sent after it. */
  readonly wasRefused: boolean
}

/** One push about a chat, as a client heard it. */
export interface Push {
  readonly name: string
  readonly room: string
  readonly seq: number
  readonly id: string
  readonly pos: bigint
}

/** What one client heard between a connect and the next disconnect, in the order of hearing. */
export interface Connection {
  readonly client: string
  readonly pushes: readonly Push[]
  /** Set for those who must hear every event of every chat after this position: supervisors who serve no chat. */
  readonly allAfter: bigint | null
}

export interface History {
  /** The log's chats, in log order. */
  readonly facts: readonly Fact[]
  readonly acked: readonly Acked[]
  readonly connections: readonly Connection[]
}

const SHOWN = 10

/**
 * What may never happen, whatever breaks, one sentence for each violation:
 *   - a gap or a repeat in a chat's seq; a call recorded twice, acknowledged or not;
 *   - an acknowledged call that does not stand in the log at the place that the ack told;
 *   - a call of a client that stands behind one that the client sent later in the same chat, unless it was refused
 *     first;
 *   - a push of something that is not in the log; pushes out of the log's order, or twice, on one connection;
 *   - an event that somebody who hears everything did not hear between two that they heard.
 */
export function violations({ facts, acked, connections }: History): readonly string[] {
  const found: string[] = []
  const say = (sentence: string): void => void found.push(sentence)
  const rooms = chained(facts, say)
  doubled(facts, say)
  for (const { client, call, room, seq, id } of acked) {
    const fact = rooms.get(room)?.[seq]
    if (!fact) say(`lost: ${client} was acknowledged ${call} at ${room}/${seq}, where nothing stands`)
    else if (id !== null && fact.id !== id)
      say(`lost: ${client} was acknowledged ${call} at ${room}/${seq}, where another event stands`)
    else if (id !== null && fact.call !== null && fact.call !== call)
      say(`mixed up: ${room}/${seq} is ${fact.call}, ${call} was acknowledged`)
  }
  inSentOrder(acked, say)
  for (const connection of connections) ordered(connection, rooms, say)
  for (const connection of connections) complete(connection, facts, say)
  return found.length <= SHOWN ? found : [...found.slice(0, SHOWN), `and ${found.length - SHOWN} more`]
}

/** A chat's events as facts; events of other streams are left out. */
export function factsOf(batch: readonly Recorded[]): Fact[] {
  return batch
    .filter(({ stream }) => stream.startsWith('chat-'))
    .map(({ stream, revision, id, position, event }) => {
      const { content } = event as { content?: { call?: string } }
      return {
        room: stream.slice('chat-'.length),
        seq: revision,
        id,
        pos: BigInt(posOf({ id, position })),
        type: event.type,
        call: content?.call ?? null,
      }
    })
}

type Say = (sentence: string) => void

function chained(facts: readonly Fact[], say: Say): ReadonlyMap<string, readonly Fact[]> {
  const rooms = new Map<string, Fact[]>()
  for (const fact of facts) {
    const room = rooms.get(fact.room) ?? []
    if (fact.seq !== room.length) say(`gap: ${fact.room} has seq ${fact.seq} where ${room.length} is due`)
    room.push(fact)
    rooms.set(fact.room, room)
  }
  return rooms
}

function doubled(facts: readonly Fact[], say: Say): void {
  const calls = new Map<string, Fact>()
  for (const fact of facts) {
    if (fact.call === null) continue
    const first = calls.get(fact.call)
    if (first) say(`doubled: ${fact.call} stands at ${first.room}/${first.seq} and at ${fact.room}/${fact.seq}`)
    calls.set(fact.call, fact)
  }
}

/**
 * Frames are decided in their order (ORDER-1), and a connection that breaks loses the last of them, never one before
 * another. So calls that were not refused stand in the order in which each was first sent, over any number of lost
 * connections.
 */
function inSentOrder(acked: readonly Acked[], say: Say): void {
  const recorded = acked.filter(({ id }) => id !== null)
  for (const calls of Map.groupBy(recorded, ({ client, room }) => `${client} in ${room}`).values()) {
    let before: Acked | undefined
    for (const one of calls.toSorted((a, b) => a.sent - b.sent)) {
      const { client, call, room, seq } = one
      if (before && seq < before.seq)
        say(`overtaken: ${client} sent ${before.call} before ${call}, which stand at ${room}/${before.seq} and ${seq}`)
      if (!one.wasRefused && (!before || seq > before.seq)) before = one
    }
  }
}

function ordered({ client, pushes }: Connection, rooms: ReadonlyMap<string, readonly Fact[]>, say: Say): void {
  const heard = new Set<string>()
  let last = -1n
  for (const { name, room, seq, id, pos } of pushes) {
    if (rooms.get(room)?.[seq]?.id !== id)
      say(`unfounded: ${client} heard ${name} of ${room}/${seq}, which the log does not hold`)
    if (pos < last) say(`out of order: ${client} heard ${name} of ${room}/${seq} at ${pos} after ${last}`)
    if (heard.has(`${name} ${id}`))
      say(`pushed twice: ${client} heard ${name} of ${room}/${seq} twice on one connection`)
    heard.add(`${name} ${id}`)
    last = pos
  }
}

function complete({ client, pushes, allAfter }: Connection, facts: readonly Fact[], say: Say): void {
  const until = pushes.at(-1)?.pos
  if (allAfter === null || until === undefined) return
  const heard = new Set(pushes.map(({ id }) => id))
  for (const { id, room, seq, pos } of facts) {
    if (pos > allAfter && pos <= until && !heard.has(id)) say(`missed: ${client} never heard ${room}/${seq} at ${pos}`)
  }
}
