import { expect } from 'vitest'
import type { Category, Kinds } from '../../machines/catalogue.ts'
import { type Command, type Recorded, Refusal } from '../../machines/kernel.ts'
import { streamName } from '../../machines/stream.ts'
import type { Node } from '../../src/delivery/contract.ts'
import { type Actor, startActor } from '../../src/runtime/actor.ts'
import type { Answer } from '../../src/runtime/answer.ts'
import type { View } from '../../src/runtime/entity-parts.ts'

/** One command, whoever asked it (a step, a row or a policy), and what the entity answered. */
export interface Asked {
  readonly category: Category
  readonly id: string
  readonly command: Command
  readonly answer: Answer
}

/** These are recorded only to be told: the entity is afterwards what it was before. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set(['HubReconnected'])

/** What one entity is by its log: its states as text, of which the nth is the one after n events. */
interface Ledger {
  readonly actor: Actor<Snapshot>
  readonly states: string[]
  /** How many of its events an answer has told of. */
  answered: number
}

interface Snapshot {
  readonly value: unknown
  readonly context: unknown
}

const textOf = ({ value, context }: Snapshot): string => JSON.stringify({ value, context })

/**
 * Compares answers with the log and with the entities: an accepted command stands in the log where its answer says, has
 * changed its entity by exactly its events, and nothing else is recorded. It folds the log by itself, because a policy
 * may ask the same entity before whoever asked first could look.
 */
export function audit(kinds: Kinds, { log, entities }: Pick<Node, 'log' | 'entities'>) {
  // Whatever the category, its state is a machine's snapshot.
  const stateOf = entities.state as (category: Category, id: string) => Promise<View<Snapshot>>
  const ledgers = new Map<string, Ledger>()

  const ledgerOf = (category: Category, stream: string): Ledger => {
    const made = ledgers.get(stream)
    if (made) return made
    const actor = startActor<Snapshot>(kinds[category]?.machine)
    const ledger: Ledger = { actor, states: [textOf(actor.state())], answered: 0 }
    ledgers.set(stream, ledger)
    return ledger
  }

  return {
    /** What was asked since the last time, when all of it is answered and nothing more is under way. */
    async check(asked: readonly Asked[]): Promise<void> {
      const touched = new Map(asked.map((one) => [streamName(one.category, one.id), one]))
      for (const [stream, { category, id }] of touched) {
        const ledger = ledgerOf(category, stream)
        const { actor, states } = ledger
        const from = states.length - 1
        const recorded: Recorded[] = []
        for await (const batch of log.read(stream, { from })) recorded.push(...batch)
        for (const { event } of recorded) {
          actor.onEvent(event)
          states.push(textOf(actor.state()))
        }
        for (const { answer, command, ...one } of asked) {
          if (one.category !== category || one.id !== id) continue
          if (answer instanceof Refusal || answer.events.length === 0) continue
          const { seq, events } = answer
          const made = recorded.slice(seq - from, seq - from + events.length)
          expect(made.map(({ event }) => event)).toEqual(events)
          expect(made[0]?.id).toBe(answer.id)
          // Of what was appended together it is the last one's.
          expect((answer.position ?? -1n) >= (made.at(-1)?.position ?? 0n)).toBe(true)
          const changes = states[seq] !== states[seq + events.length]
          expect(changes, `${command.type} on ${stream}`).toBe(!events.every(({ type }) => CHANGES_NOTHING.has(type)))
          ledger.answered += events.length
        }
        expect(ledger.answered, `events of ${stream} that were answered`).toBe(states.length - 1)
        const now = await stateOf(category, id)
        expect([now.revision, textOf(now.state)]).toEqual([states.length - 2, states.at(-1)])
      }
    },
  }
}
