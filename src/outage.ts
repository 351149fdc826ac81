/** What is tried again and again, and fails for a while. */
export interface Outage {
  failed(error: unknown): void
  worked(): void
}

/** Between two failures something works now and then: of a full disk what fits into its last corner is written. */
const CALM_MS = 10_000

/** Tells once that something fails, and that it is over when it has not failed for a while. */
export function outage(told: { began(error: unknown): void; ended?(): void }, calmMs = CALM_MS): Outage {
  let failedAt: number | null = null
  return {
    failed(error) {
      if (failedAt === null) told.began(error)
      failedAt = performance.now()
    },
    worked() {
      if (failedAt === null || performance.now() - failedAt < calmMs) return
      failedAt = null
      told.ended?.()
    },
  }
}

/** A file of ours cannot be written, and what that costs. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten'
}

/** What the operator is told once of a file. */
export const fileOutage = (path: string, cost: string, onError: (error: NotWritten) => void): Outage =>
  outage({
    began: (error) =>
      onError(new NotWritten(`${path} cannot be written (${(error as Error).message}): ${cost}`, { cause: error })),
  })
