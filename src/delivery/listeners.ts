import type { Recorded } from '../../machines/kernel.ts'
import { categoryIn } from '../../machines/stream.ts'

/** Somebody who is told of the events of some categories, once their notices are out. */
export interface Listener {
  /** Of the streams whose events matter. */
  readonly categories: readonly string[]
  onEvent(recorded: Recorded): void
}

/**
 * Tells each event to those whom it matters, in their order. One that fails holds up no other: `onError` is told, and
 * the others hear of it all the same.
 */
export function listeners(
  all: readonly Listener[],
  onError: (error: unknown, recorded: Recorded) => void,
): (recorded: Recorded) => void {
  const byCategory = new Map<string, Listener[]>()
  for (const listener of all) {
    for (const category of listener.categories)
      byCategory.set(category, [...(byCategory.get(category) ?? []), listener])
  }
  return (recorded) => {
    for (const listener of byCategory.get(categoryIn(recorded.stream)) ?? []) {
      try {
        listener.onEvent(recorded)
      } catch (error) {
        onError(error, recorded)
      }
    }
  }
}
