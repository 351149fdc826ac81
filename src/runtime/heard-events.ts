import type { Recorded } from '../log/log.ts'

/** More than a few groups of commands: whoever is further behind reads. */
const MAX_HEARD = 256

/**
 * What is recorded in a stream while its entity serves: mostly its own, and when another node was first, what it has to
 * know before it decides again. It has been told so already, so it need not be read.
 */
export class HeardEvents {
  #events: Recorded[] = []
  #waiting: { readonly revision: number; readonly go: () => void } | undefined

  /** `known`: the revision that the entity has come to. */
  add(recorded: Recorded, known: number): void {
    const last = Math.max(this.#events.at(-1)?.revision ?? -1, known)
    if (recorded.revision !== last + 1 || this.#events.length >= MAX_HEARD) return
    this.#events.push(recorded)
    if (this.#waiting && recorded.revision >= this.#waiting.revision) this.#waiting.go()
  }

  /** Those that follow `known` without a gap; they are gone then, and all before them. */
  take(known: number): readonly Recorded[] {
    const events = this.#events.filter(({ revision }) => revision > known)
    this.#events = []
    return events[0]?.revision === known + 1 ? events : []
  }

  /** Resolves when the event with this revision is heard, or after so many milliseconds. */
  async until(revision: number, ms: number): Promise<void> {
    if ((this.#events.at(-1)?.revision ?? -1) >= revision) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#waiting = {
        revision,
        go() {
          clearTimeout(timer)
          resolve()
        },
      }
    })
    this.#waiting = undefined
  }
}
