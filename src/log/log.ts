import type { Event } from '../../machines/kernel.ts'
import type { StreamDamaged } from './damaged.ts'

/**
 * What is known about an event besides the event: who caused it, by which command, and which client call it answers.
 */
export interface Meta {
  /** The id of the command (a UUID): `$correlationId` in EventStoreDB. All events of one command share it. */
  readonly correlationId: string
  /** The id of the event that made a policy send the command: `$causationId` in EventStoreDB. */
  readonly causationId?: string
  /** The person who asked (`<org>.<id>`), or `system`. */
  readonly by: string
  /** Set when the client named its call: the key of the call within the stream, and a digest of what it asked. */
  readonly client?: { readonly key: string; readonly digest: string }
}

/**
 * An event on its way into the log. `id` is a UUID derived from the command, so that an append can be repeated safely.
 */
export interface Proposed<E extends Event = Event> {
  readonly id: string
  readonly event: E
  readonly meta: Meta
}

/**
 * An event with its place in history. `revision` counts from 0 within its stream, `position` grows over the whole log
 * with gaps (opaque: compare and serialise, never compute), `at` is the clock of the node that wrote it, milliseconds
 * since 1970: it orders nothing, and never goes back within a stream. `event` and `meta` throw UnreadableEvent when a
 * newer release recorded them in a shape that this one does not know; the place can always be read.
 */
export interface Recorded<E extends Event = Event> extends Proposed<E> {
  readonly stream: string
  readonly revision: number
  readonly position: bigint
  readonly at: number
}

/** Where the last event of an append stands: whoever has read up to there has read all of them. */
export interface Appended {
  readonly revision: number
  readonly position: bigint
}

export interface ReadOptions<From> {
  /**
   * Inclusive forwards; backwards it is inclusive for a stream and exclusive for the whole log. Default: the beginning,
   * or backwards the end.
   */
  readonly from?: From
  readonly backwards?: boolean
  readonly limit?: number
}

export interface StreamOptions extends ReadOptions<number> {
  /**
   * Where the stream has no event, that it never had any is made certain, which costs another look: who asks by chance
   * for what never was need not.
   */
  readonly isCertain?: boolean
  /** Told of each damage, and what can be read is read all the same. Default: the read rejects with StreamDamaged. */
  onDamage?(damage: StreamDamaged): void
}

/**
 * How far somebody is: the last event that is done with. Its id proves that the position still means the same log (it
 * does not when the log was put back from an older backup, or is another one).
 */
export type Checkpoint = Pick<Recorded, 'position' | 'id'>

export interface FollowOptions {
  /** Exclusive. `'start'` = every event, `'end'` = only what is appended from now on. */
  readonly after: Checkpoint | 'start' | 'end'
  /**
   * Called with one or more events, in order, one call at a time: the next call waits for the promise. When it throws
   * or rejects the following stops with that error and nothing after the failed batch is delivered.
   */
  each(batch: readonly Recorded[]): void | Promise<void>
  /** Called when everything that stood in the log at the start (or after a break) has been delivered. */
  caughtUp?(): void
  /**
   * Called once when the following ended for good: because `each` or `caughtUp` failed, or with AnotherPast, when the
   * log does not hold (any more) what was followed so far. A broken connection is not that: it is resumed.
   */
  failed?(error: unknown): void
}

export interface Following {
  /** After it resolves, nothing more is delivered. A second call is harmless. */
  stop(): Promise<void>
}

/**
 * The durable log: the only source of truth. Adapters: memory, embedded (own files), EventStoreDB; one suite for all:
 * `test/log/suite.ts`.
 */
export interface Log {
  /**
   * Appends all or nothing, durable when it resolves. `expected` is the exact revision of the last event of the stream,
   * -1 for a stream that does not exist yet. The same ids with the same `expected` give the first answer again and add
   * nothing. `at` is the time of the events, milliseconds since 1970, by default now: whoever writes a stream sees to
   * it that it is not before that of the last event. Rejects with WrongRevision, AppendTooLarge, InvalidAppend (nothing
   * written), StreamDamaged, or LogUnavailable (outcome unknown: ask again with the same ids and the same `expected`).
   */
  append(stream: string, expected: number, events: readonly Proposed[], at?: number): Promise<Appended>
  /**
   * One stream, in batches. A stream that does not exist is empty. Rejects with StreamDamaged, after what comes before
   * the damage, when somebody else has cut it, deleted it or written to it: which only a log can meet that is open to
   * others.
   */
  read(stream: string, options?: StreamOptions): AsyncIterable<readonly Recorded[]>
  /** The whole log, in batches. */
  readAll(options?: ReadOptions<bigint>): AsyncIterable<readonly Recorded[]>
  /** Past events, then live ones, in order, at least once over breaks, never twice within one unbroken following. */
  follow(options: FollowOptions): Following
  close(): Promise<void>
}

/**
 * The stream has moved on: learn what happened (`actual` = revision of its last event, -1 = no stream) and decide
 * again.
 */
export class WrongRevision extends Error {
  override readonly name = 'WrongRevision'
  readonly stream: string
  readonly expected: number
  readonly actual: number

  constructor(stream: string, expected: number, actual: number) {
    super(`${stream} is at revision ${actual}, expected ${expected}`)
    this.stream = stream
    this.expected = expected
    this.actual = actual
  }
}

export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge'
  readonly limitBytes: number
  constructor(limitBytes: number, sizeBytes: number) {
    super(
      `one append may hold at most ${limitBytes} bytes (data, metadata, and 2 for each character of the types), ` +
        `got ${sizeBytes}: split it`,
    )
    this.limitBytes = limitBytes
  }
}

/** The caller's mistake: an id that is no UUID, an empty or reserved name, no events, data that JSON cannot hold. */
export class InvalidAppend extends Error {
  override readonly name = 'InvalidAppend'
}

/**
 * The event stands in the log, but its content is beyond this release. Thrown by whatever looks at the content; says
 * what to do.
 */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent'
}

/**
 * No event stands at the position from which the whole log was to be read, and this log cannot go on from there: it is
 * of another log, or of a part that was lost. Adapters that can read on from any position do so.
 */
export class NoSuchPosition extends Error {
  override readonly name = 'NoSuchPosition'
}

/**
 * The log does not hold an event that it held: it was put back from an older backup, or another log has taken its
 * place. Whatever was made of it has to be made again.
 */
export class AnotherPast extends Error {
  override readonly name = 'AnotherPast'
  readonly at: Checkpoint

  constructor({ position, id }: Checkpoint) {
    super(`the log has another past: it does not hold the event ${id} at position ${position}`)
    this.at = { position, id }
  }
}

/** The log did not answer in time. Whether the events are in it is unknown until it answers the same append again. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable'
}
