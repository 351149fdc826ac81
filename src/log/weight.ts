import { type Recorded, UnreadableEvent } from './log.ts'

/**
 * What an event takes in memory, about, in bytes: nearly all of it is in its texts. What is kept of events is bounded
 * by this, besides their number: one may hold 64 KiB.
 */
export function weightOf(recorded: Recorded): number {
  try {
    return EACH + inside(recorded.event)
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error
    return EACH
  }
}

const EACH = 300
const FIELD = 16

function inside(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  let sum = 0
  for (const part of Object.values(value)) sum += FIELD + inside(part)
  return sum
}
