import type { Checkpoint } from '../log/log.ts'

/** Whether `a` stands behind `b` in the log; null = before the first event. */
export const later = (a: bigint | null, b: bigint | null): boolean => a !== null && (b === null || a > b)

export const positionOf = (checkpoint: Checkpoint | null): bigint | null => checkpoint?.position ?? null

/** Whether two checkpoints are of the same event. */
export const isSame = (a: Checkpoint | null, b: Checkpoint | null): boolean =>
  a === b || (a !== null && b !== null && a.position === b.position && a.id === b.id)
