import { refuse } from '../../machines/kernel.ts'
import { keepNewest } from '../keep-newest.ts'
import type { Answer } from './answer.ts'

/**
 * The newest named calls of an entity that were answered yes and changed nothing: nothing in the log tells of them. See
 * docs/decisions/0021.
 */
export class NoOpCalls {
  readonly #calls = new Map<string, { readonly digest: string; readonly seq: number }>()

  get size(): number {
    return this.#calls.size
  }

  /** The answer that was given to this call, or the refusal of its reuse; undefined when it is not known here. */
  answerTo(key: string, digest: string): Answer | undefined {
    const call = this.#calls.get(key)
    return call && (call.digest === digest ? unchangedAt(call.seq) : refuse('client-id-reused'))
  }

  note(key: string, digest: string, seq: number): void {
    this.#calls.set(key, { digest, seq })
    keepNewest(this.#calls, MAX_CALLS)
  }
}

const MAX_CALLS = 1_000

/** Yes, and nothing is to be done. */
export const unchangedAt = (seq: number): Answer => ({ kind: 'done', id: null, seq, position: null, events: [] })
