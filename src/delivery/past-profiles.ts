import type { Recorded } from '../../machines/kernel.ts'
import { type PersonRef, personName, streamName } from '../../machines/stream.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { UnreadableEvent } from '../log/log.ts'
import type { Profiles } from './feed.ts'
import type { Batches } from './kept-streams.ts'

/** People as of any position, from their own streams. */
export class PastProfiles {
  readonly #read: (stream: string) => Batches | Promise<Batches>
  readonly #events = new Map<string, readonly Recorded[]>()

  /** `read`: all events of a stream, in their order. */
  constructor(read: (stream: string) => Batches | Promise<Batches>) {
    this.#read = read
  }

  async fetch(person: PersonRef): Promise<void> {
    const name = personName(person)
    if (this.#events.has(name)) return
    const events: Recorded[] = []
    for await (const batch of await this.#read(streamName('person', name))) events.push(...batch)
    this.#events.set(name, events)
  }

  at(position: bigint): Profiles {
    return {
      get: (person) => {
        const known = this.#events.get(personName(person)) ?? []
        return rowOf(known.filter((recorded) => recorded.position <= position))
      },
    }
  }
}

/** Whoever cannot be read is told of without a name. */
function rowOf(events: readonly Recorded[]): PersonRow | undefined {
  try {
    return events.reduce<PersonRow | undefined>(people.fold, undefined)
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined
    throw error
  }
}
