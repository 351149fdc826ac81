import type { Party, Refusal } from '../../machines/kernel.ts'
import type { Person } from '../../machines/person/machine.ts'
import type { Peer } from '../presence/liveness-probe.ts'
import type { Answer } from '../runtime/answer.ts'
import type { RoomName } from './notice.ts'
import type { Shape } from './shape.ts'

/**
 * What kind of client connects. `app`: takes part as the token's person. `hub`: looks on, and is nobody's presence.
 * `anonymous`: came without a token.
 */
export type ClientKind = 'app' | 'hub' | 'anonymous'

/** One connection as a contract sees it. */
export interface Connection {
  readonly id: string
  readonly kind: ClientKind
  /** Who the token says it is. */
  readonly party: Party
  /**
   * Of a client that goes on where it was when it comes back (`resume=1`): the entity that knows what it has subscribed
   * to. Null: it subscribes anew.
   */
  readonly client: string | null
  /** What is recorded of them, as of their arrival. */
  readonly person: Pick<Person, 'profile' | 'createdAt' | 'updatedAt'>
  /** Of an anonymous participant: what makes them the same person when they connect again. */
  readonly participantToken?: string
  readonly address: string
  /** The handshake's query: hints, never claims. */
  readonly query: Readonly<Record<string, unknown>>
  /** 2 = acks carry a third value. */
  readonly protocol: 1 | 2
  /** The client at the other end. */
  readonly peer: Peer
  /** It is told what it has missed, in place of openings. */
  isResumed(): boolean
  /** False once it is closed. */
  isOpen(): boolean
  emit(name: string, data: object): void
  /** Resolves when the client has read nearly all that it was told, or is gone: whoever tells much waits for that. */
  drained(): Promise<void>
  /** Takes effect at once. */
  join(room: RoomName): void
  leave(room: RoomName): void
  /**
   * Puts work of the contract's own into the order of the frames, as a call: what is put there on arrival comes before
   * the first frame. It starts when everything before it has entered, and calls `entered` as calls do. It must not
   * reject.
   */
  inOrder(work: (entered: () => void) => Promise<void>): void
  /** `run` is called once, when the connection is closed and every call of its frames has entered. */
  onClosed(run: () => void): void
}

/** What came of a call; `about` is the id of what it was about, null when it was about nothing that is known. */
export interface Outcome {
  readonly about: string | null
  readonly answer: Answer
}

/**
 * A decoded call. It calls `entered` once, as soon as its command stands in a mailbox (or in a queue in front of one):
 * the connection's next call then starts, without waiting for the answer (ORDER-1). A call that never does is entered
 * when it is answered.
 */
export type InboundCall = (entered: () => void) => Promise<Outcome>

/** Decodes the arguments of one emitted event (without the ack). `at` in milliseconds since 1970. */
export type InboundRow = (args: readonly unknown[], from: Connection, at: number) => InboundCall | Refusal

/** What clients of one contract may emit, as it is published. */
export interface Calls {
  /** How the third value of an ack calls the id of what the call was about: `room`, `lesson_id`, … */
  readonly about: string
  /** Names that a client without a token may emit. */
  readonly anonymous?: readonly string[]
  /** The shape of the first argument of every name; the rows decode by the same ones. */
  readonly data: Readonly<Record<string, Shape>>
}

/** What clients of one contract may emit. */
export interface Inbound {
  /** One row per name; nothing else gets in. */
  readonly rows: Readonly<Record<string, InboundRow>>
  /** Names that a client without a token may emit. */
  readonly anonymous?: readonly string[]
  /** Names that begin when everything that came before them is answered: nobody goes before what they have said. */
  readonly afterAnswers?: readonly string[]
  /** How the third value of an ack calls the id of what the call was about: `room`, `lesson_id`, … */
  readonly about: string
  /** What a refused call was about, where its arguments name it. Default: nothing. */
  readonly aboutIn?: (args: readonly unknown[]) => string | null
  /** True: on the wire that id is a whole number. */
  readonly isAboutNumber?: true
  /** Contracts that tell refusals by an event besides the ack. */
  readonly onRefused?: (from: Connection, refused: Refused) => void
}

/** A refusal in words. */
export interface Refused {
  readonly event: string
  readonly code: string
  readonly message: string
  readonly about: string | null
}
