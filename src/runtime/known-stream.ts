import type { Proposed, Recorded } from '../log/log.ts'
import { type Actor, startActor } from './actor.ts'
import { CallRecord } from './call-record.ts'
import { taken } from './damaged-entities.ts'
import type { EntityParts, View } from './entity-parts.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshots.ts'

/** Below this, reading the events is as quick as restoring a snapshot. */
const SNAPSHOT_PAYS = 500

type Parts = Pick<EntityParts<never, never, never>, 'log' | 'snapshots' | 'machine' | 'definition' | 'now'>

/** What an awake entity knows of its stream: the machine's state, how far it has read, and which calls are in it. */
export class KnownStream<S> {
  readonly stream: string
  readonly #parts: Parts
  #actor: Actor<S> | undefined
  #calls = new CallRecord()
  #revision = -1
  #lastId = ''
  #lastAt = 0
  #snapshotRevision = -1

  constructor(stream: string, parts: Parts) {
    this.stream = stream
    this.#parts = parts
  }

  /** Undefined while it sleeps. */
  get actor(): Actor<S> | undefined {
    return this.#actor
  }

  /** Of the last event that the actor has taken. */
  get revision(): number {
    return this.#revision
  }

  get calls(): CallRecord {
    return this.#calls
  }

  /** When the last event was recorded, milliseconds since 1970: nothing that follows it is earlier. */
  get lastAt(): number {
    return this.#lastAt
  }

  view(actor: Actor<S>): View<S> {
    return { revision: this.#revision, at: this.#lastAt, state: actor.state() }
  }

  /** Awake, and with everything that the log has now. Rejects as the log does, and with StreamDamaged. */
  async wake(): Promise<Actor<S>> {
    const actor = this.#actor ?? this.#restore()
    const isRestored = this.#actor === undefined && this.#revision >= 0
    if (await this.look(actor, isRestored)) {
      this.#actor = actor
      return actor
    }
    this.drop()
    this.#parts.snapshots.save(this.stream, '')
    return this.wake()
  }

  /**
   * Learns what was recorded since. `isRestored`: the last event that is known here has to be there; false when it is
   * not, as in a log that was put back from a backup.
   */
  async look(actor: Actor<S>, isRestored = false): Promise<boolean> {
    let check = isRestored
    // What was deleted is not new.
    const options = { from: this.#revision + (check ? 0 : 1), isCertain: this.#revision < 0 }
    for await (const batch of this.#parts.log.read(this.stream, options)) {
      for (const recorded of batch) {
        if (!check) this.learn(actor, recorded)
        else if (recorded.id !== this.#lastId) return false
        check = false
      }
    }
    return !check
  }

  learn(actor: Actor<S>, recorded: Recorded): void {
    const { id, revision, position, at, meta } = taken(actor, recorded)
    this.#revision = revision
    this.#lastId = id
    this.#lastAt = Math.max(this.#lastAt, at)
    if (meta.client) this.#calls.set(meta.client.key, [meta.client.digest, revision, String(position)])
  }

  /**
   * Appends behind what is known, no earlier than `decidedAt`. `isAhead`: the actor has taken the events already.
   * Resolves to the position of the last one; rejects as the log does.
   */
  async append(actor: Actor<S>, proposed: readonly Proposed[], decidedAt: number, isAhead: boolean): Promise<bigint> {
    const at = Math.max(this.#parts.now(), this.#lastAt, decidedAt)
    const { position } = await this.#parts.log.append(this.stream, this.#revision, proposed, at)
    if (!isAhead) for (const { event } of proposed) actor.onEvent(event)
    this.#revision += proposed.length
    this.#lastId = proposed.at(-1)?.id ?? ''
    this.#lastAt = at
    return position
  }

  /** Keeps a snapshot when that pays. `isBusy`: more is about to come, so that it pays later. */
  keep(actor: Actor<S>, isBusy: boolean): void {
    if (this.#revision - this.#snapshotRevision < SNAPSHOT_PAYS * (isBusy ? 2 : 1)) return
    const snapshot = {
      revision: this.#revision,
      eventId: this.#lastId,
      at: this.#lastAt,
      state: actor.persist(),
      marks: this.#calls.toText(),
    }
    this.#parts.snapshots.save(this.stream, encodeSnapshot(snapshot, this.#parts.definition))
    this.#snapshotRevision = this.#revision
  }

  /** Lets go of everything; `wake` makes it again. */
  drop(): void {
    this.#actor = undefined
    this.#revision = this.#snapshotRevision = -1
    this.#lastAt = 0
    this.#calls = new CallRecord()
  }

  #restore(): Actor<S> {
    this.drop()
    const { snapshots, machine, definition } = this.#parts
    const text = snapshots.load(this.stream)
    const snapshot = text === undefined ? undefined : decodeSnapshot(text, definition)
    if (!snapshot) return startActor<S>(machine)
    this.#revision = this.#snapshotRevision = snapshot.revision
    this.#lastId = snapshot.eventId
    this.#lastAt = snapshot.at
    this.#calls = new CallRecord(snapshot.marks)
    return startActor<S>(machine, snapshot.state)
  }
}
