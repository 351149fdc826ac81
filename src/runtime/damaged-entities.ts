import { Refusal } from '../../machines/kernel.ts'
import { keepNewest } from '../keep-newest.ts'
import { damageIn, StreamDamaged, unusable } from '../log/damaged.ts'
import type { Recorded } from '../log/log.ts'
import type { Actor } from './actor.ts'
import type { Answer } from './answer.ts'
import { damagedRefusal } from './log-refusals.ts'

/**
 * The entities that were found damaged. Their clients are answered from the log each time, so that an entity that was
 * mended goes on; Lyceum itself asks them once, and leaves them alone until a client finds one mended.
 */
export interface DamagedEntities {
  found(damage: StreamDamaged): void
  /** What Lyceum itself is answered without a look; undefined when the entity is not known to be damaged. */
  answerTo(stream: string): Refusal | undefined
  /** The entity has answered somebody; without an answer: it was looked at. */
  answered(stream: string, answer?: Answer): void
}

const MAX_KNOWN = 10_000

export function damagedEntities(tell: (damage: StreamDamaged) => void): DamagedEntities {
  const known = new Map<string, StreamDamaged>()
  return {
    found(damage) {
      known.set(damage.stream, damage)
      keepNewest(known, MAX_KNOWN)
      tell(damage)
    },
    answerTo(stream) {
      const damage = known.get(stream)
      return damage && damagedRefusal(damage)
    },
    answered(stream, answer) {
      if (known.size > 0 && !isDamaged(answer)) known.delete(stream)
    },
  }
}

/** The entity is damaged: whoever asked leaves it alone, for asking again does not help. */
export const isDamaged = (answer: unknown): boolean => answer instanceof Refusal && answer.code === 'damaged'

/** What cannot be had of an entity: asking again does not help. */
export const isDamage = (error: unknown): boolean => error instanceof StreamDamaged

/** For those who can do something with an entity that is damaged. */
export const orDamage = <T>(asked: Promise<T>): Promise<T | StreamDamaged> =>
  asked.catch((error: unknown) => {
    if (error instanceof StreamDamaged) return error
    throw error
  })

/** Moves the actor. Throws StreamDamaged when the event cannot be read, or cannot have happened to this entity. */
export function taken<S>(actor: Actor<S>, recorded: Recorded): Recorded {
  try {
    actor.onEvent(recorded.event)
    return recorded
  } catch (error) {
    throw damageIn(error) ?? unusable(recorded.stream, recorded.revision, error)
  }
}
