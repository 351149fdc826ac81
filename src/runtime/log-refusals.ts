import { type Refusal, refuse } from '../../machines/kernel.ts'
import { StreamDamaged } from '../log/damaged.ts'
import { AppendTooLarge, InvalidAppend, LogUnavailable, WrongRevision } from '../log/log.ts'

/**
 * What those who wait are told when the log said no. Anything unforeseen is a bug, or a broken disk, and is thrown on.
 */
export function refusalFor(error: unknown, onDamaged: (damage: StreamDamaged) => void = () => {}): Refusal {
  if (error instanceof WrongRevision) return refuse('busy')
  if (error instanceof LogUnavailable) return refuse('unavailable')
  if (error instanceof AppendTooLarge) return refuse('too-large', { limit: String(error.limitBytes) })
  if (error instanceof InvalidAppend) return refuse('bad-request', { why: error.message })
  if (error instanceof StreamDamaged) {
    onDamaged(error)
    return damagedRefusal(error)
  }
  throw error
}

/** What clients are told; the operator is told the cause. */
export function damagedRefusal({ isGone }: StreamDamaged): Refusal {
  const how = isGone ? 'deleted' : 'damaged'
  return refuse('damaged', { how })
}
