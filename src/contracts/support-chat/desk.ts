import type { Recorded } from '../../../machines/kernel.ts'
import { type ChatRow, chats } from '../../../projections/chats.ts'
import { type OnlineRow, online } from '../../../projections/online.ts'

/**
 * What this node keeps in memory of one organisation: the part of the views that pushes and opening states are made of.
 */
export interface Office {
  /** Open chats that nobody has claimed, oldest first. */
  readonly unclaimed: Map<string, ChatRow>
  /** Chats with a severity above 0, open or closed; unordered. */
  readonly flagged: Map<string, ChatRow>
  /** Who is online (or in their grace), by id. */
  readonly online: Map<string, OnlineRow>
}

/** A row before and after an event; undefined = there is none. */
export interface Moved<R> {
  readonly before: R | undefined
  readonly after: R | undefined
}

/**
 * The hot rows of `chats` and `online`, folded from the log by the same pure projections as the views. Pushes and
 * `staff_init` are both made from it, between two events and without waiting, so that they cannot disagree. Rows are
 * put in from a view or a stream (`seed`) and then moved by events; events that a row has already seen change nothing.
 */
export class Desk {
  /** Open chats and flagged ones, by room. */
  readonly chats = new Map<string, ChatRow>()
  /** `<org>.<id>` -> open chats in which they are the visitor or the serving staff member. */
  readonly #busy = new Map<string, Set<string>>()
  readonly #offices = new Map<string, Office>()

  office(org: string): Office {
    let office = this.#offices.get(org)
    if (!office) {
      office = { unclaimed: new Map(), flagged: new Map(), online: new Map() }
      this.#offices.set(org, office)
    }
    return office
  }

  presence(org: string, id: string): OnlineRow | undefined {
    return this.#offices.get(org)?.online.get(id)
  }

  /** Open chats of a person, as a visitor or as the one who serves. */
  chatsOf(org: string, id: string): readonly string[] {
    return [...(this.#busy.get(`${org}.${id}`) ?? [])]
  }

  *everybody(): Generator<{ readonly org: string; readonly id: string; readonly row: OnlineRow }> {
    for (const [org, { online: people }] of this.#offices) for (const [id, row] of people) yield { org, id, row }
  }

  seedChat(room: string, row: ChatRow): void {
    const known = this.chats.get(room)
    if (known && known.seq >= row.seq) return
    this.#putChat(room, known, row)
    this.chats.set(room, row) // also one that has ended: it was recalled for the event at hand, which moves it on
  }

  seedPresence(org: string, id: string, row: OnlineRow): void {
    const known = this.presence(org, id)
    if (!known || known.seq < row.seq) this.office(org).online.set(id, row)
  }

  /**
   * True when the event is about a chat that is not in memory: its row has to be made from its stream first
   * (`seedChat`).
   */
  lacks({ stream, revision }: Recorded): boolean {
    const room = chats.key({ stream } as Recorded)
    return room !== null && revision > 0 && !this.chats.has(room)
  }

  moveChat(room: string, recorded: Recorded): Moved<ChatRow> {
    const before = this.chats.get(room)
    if (before && recorded.revision <= before.seq) return { before, after: before }
    const after = chats.fold(before, recorded)
    if (after) this.#putChat(room, before, after)
    return { before, after }
  }

  movePresence(org: string, id: string, recorded: Recorded): Moved<OnlineRow> {
    const { online: people } = this.office(org)
    const before = people.get(id)
    if (before && recorded.revision <= before.seq) return { before, after: before }
    // Without a row only a beginning tells something: the rest belongs to a presence that was over when the rows were
    // put in.
    const after = before || recorded.event.type === 'CameOnline' ? online.fold(before, recorded) : undefined
    if (after) people.set(id, after)
    else people.delete(id)
    return { before, after }
  }

  #putChat(room: string, before: ChatRow | undefined, after: ChatRow): void {
    const open = after.status !== 'closed'
    const { unclaimed, flagged } = this.office(after.org)
    if (open || after.severity > 0) this.chats.set(room, after)
    else this.chats.delete(room)
    if (after.status === 'unclaimed') unclaimed.set(room, after)
    else unclaimed.delete(room)
    if (after.severity > 0) flagged.set(room, after)
    else flagged.delete(room)
    if (before && before.staffId !== null && before.staffId !== after.staffId)
      this.#leave(after.org, before.staffId, room)
    for (const id of [after.visitorId, after.staffId]) {
      if (id === null) continue
      if (open) this.#join(after.org, id, room)
      else this.#leave(after.org, id, room)
    }
  }

  #join(org: string, id: string, room: string): void {
    const person = `${org}.${id}`
    const rooms = this.#busy.get(person)
    if (rooms) rooms.add(room)
    else this.#busy.set(person, new Set([room]))
  }

  #leave(org: string, id: string, room: string): void {
    const person = `${org}.${id}`
    const rooms = this.#busy.get(person)
    rooms?.delete(room)
    if (rooms?.size === 0) this.#busy.delete(person)
  }
}
