import type { EventStoreDBClient } from '@eventstore/db-client'
import { isSilence } from './eventstore-errors.ts'

/** So many calls in a row without an answer, and the server is looked for again. */
const MAX_SILENCES = 2

/**
 * Counts the calls in a row that nobody answered. A frozen leader keeps its connections open and says nothing, and a
 * channel goes on believing in it for as long as its keep-alive allows, which may be 20 s.
 */
export interface Silence {
  answered(client: EventStoreDBClient): void
  /** True when it is time to give this client up. */
  failed(client: EventStoreDBClient, error: unknown): boolean
}

export function silence(): Silence {
  const inARow = new WeakMap<EventStoreDBClient, number>()
  return {
    answered: (client) => void inARow.delete(client),
    failed(client, error) {
      // Whatever else it says: it speaks.
      const count = isSilence(error) ? (inARow.get(client) ?? 0) + 1 : 0
      inARow.set(client, count)
      return count >= MAX_SILENCES
    },
  }
}
