import type { Category, CommandOf } from '../../machines/catalogue.ts'
import { refuse } from '../../machines/kernel.ts'
import { streamName } from '../../machines/stream.ts'
import type { Answer, Call } from './answer.ts'
import type { Entities } from './entities.ts'

export interface AdmissionQueue {
  /**
   * As `Entities.ask`, but whoever finds the mailbox full waits for their turn, first come first served, as long as the
   * line is not too long.
   */
  ask<K extends Category>(category: K, id: string, command: CommandOf<K>, call?: Call): Promise<Answer>
}

export interface AdmissionQueueOptions {
  /** How many of this line an entity's mailbox holds at once; the rest of the mailbox is left to others. */
  readonly inside?: number
  /** More than so many in the line of one entity are refused (`overloaded`). */
  readonly waiting?: number
  /**
   * So is whoever has waited longer than this when their turn comes: a log that stalls must not keep a line for
   * minutes.
   */
  readonly patienceMs?: number
}

/**
 * A whole class may ask one entity at once, which is more than a mailbox holds. A line in front of the mailbox costs
 * nothing but memory, and unlike asking again and again it lets nobody overtake.
 */
export function admissionQueue(
  entities: Pick<Entities, 'ask'>,
  { inside = 128, waiting = 20_000, patienceMs = 15_000 }: AdmissionQueueOptions = {},
): AdmissionQueue {
  const lines = new Map<string, { inside: number; readonly waiting: (() => void)[] }>()

  return {
    async ask(category, id, command, call) {
      const name = streamName(category, id)
      let line = lines.get(name)
      if (!line) {
        line = { inside: 0, waiting: [] }
        lines.set(name, line)
      }
      if (line.waiting.length >= waiting) {
        call?.entered?.()
        return refuse('overloaded')
      }
      // Whoever goes hands their place on, so the number inside changes only where nobody waits.
      const came = performance.now()
      let its = call
      if (line.inside >= inside) {
        const turn = Promise.withResolvers<void>()
        line.waiting.push(turn.resolve)
        call?.entered?.()
        its = { ...call, entered() {} } // nobody overtakes in the line, so this was entering enough
        await turn.promise
      } else line.inside++
      try {
        if (performance.now() - came > patienceMs) return refuse('overloaded')
        return await entities.ask(category, id, command, its)
      } finally {
        const next = line.waiting.shift()
        if (next) next()
        else if (--line.inside === 0) lines.delete(name)
      }
    },
  }
}
