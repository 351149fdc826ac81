import { isPassing, Refused } from './refused.ts'

/** What came of a call: the event that was recorded; all null when nothing had to change. */
export interface Done {
  readonly id: string | null
  readonly seq: number
  readonly pos: string | null
  /** What it was about, in the contract's word: `room`, `lesson_id`, `course_id`. */
  readonly [about: string]: unknown
}

/** Sends one call; `answer` is called when its ack comes, which may be never. */
export type Send = (name: string, data: object, answer: (...ack: readonly unknown[]) => void) => void

interface Pending {
  readonly name: string
  readonly data: object
  resolve(done: Done): void
  reject(error: Error): void
  /** How often it was refused for the moment. */
  refusals: number
  /** It waits before it is sent again. */
  isResting: boolean
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/**
 * Calls until they are answered. Each has a name of its own (`client_id`), so it may be sent again after a lost
 * connection and happens once; what was sent before keeps its order.
 */
export class Outbox {
  readonly #send: Send
  readonly #pending: Pending[] = []
  #isOpen = false

  constructor(send: Send) {
    this.#send = send
  }

  /** How many calls have no answer yet. */
  get size(): number {
    return this.#pending.length
  }

  /** Resolves when it is on disk; rejects with Refused, or when the client is closed. */
  call(name: string, data: object): Promise<Done> {
    return new Promise((resolve, reject) => {
      const named = { ...data, client_id: crypto.randomUUID() }
      const pending: Pending = { name, data: named, resolve, reject, refusals: 0, isResting: false }
      this.#pending.push(pending)
      if (this.#isOpen) this.#ask(pending)
    })
  }

  /** The connection is there: everything without an answer goes out again, in its order. */
  open(): void {
    this.#isOpen = true
    for (const pending of this.#pending) if (!pending.isResting) this.#ask(pending)
  }

  shut(): void {
    this.#isOpen = false
  }

  /** Nothing will be answered any more, for this reason. */
  end(why: Error): void {
    this.shut()
    for (const { reject } of this.#pending.splice(0)) reject(why)
  }

  #ask(pending: Pending): void {
    this.#send(pending.name, pending.data, (ok, error, result) => {
      const index = this.#pending.indexOf(pending)
      if (index < 0) return // answered on another connection
      const code = codeOf(error, result)
      if (ok !== true && isPassing(code)) return this.#askLater(pending)
      this.#pending.splice(index, 1)
      if (ok === true)
        pending.resolve((result ?? { id: null, seq: -1, pos: null }) as Done) // of protocol 2
      else pending.reject(new Refused(code, String(error)))
    })
  }

  #askLater(pending: Pending): void {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pending.refusals++)
    pending.isResting = true
    setTimeout(() => {
      pending.isResting = false
      if (this.#isOpen && this.#pending.includes(pending)) this.#ask(pending)
    }, pauseMs)
  }
}

function codeOf(error: unknown, result: unknown): string {
  const code = (result as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : String(error).split(':')[0]!
}
