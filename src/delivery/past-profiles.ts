import type { Recorded } from '../../machines/kernel.ts'
import { type PersonRef, personName, streamName } from '../../machines/stream.ts'
import { type PersonRow, people } from '../../projections/people.ts'
import { type Log, UnreadableEvent } from '../log/log.ts'
import type { Profiles } from './feed.ts'

/** People as of any position, from their own streams. */
export class PastProfiles {
  readonly #log: Log
  readonly #events = new Map<string, readonly Recorded[]>()

  constructor(log: Log) {
    this.#log = log
  }

  async fetch(person: PersonRef): Promise<void> {
    const name = personName(person)
    if (this.#events.has(name)) return
    const events: Recorded[] = []
    for await (const batch of this.#log.read(streamName('person', name))) events.push(...batch)
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
