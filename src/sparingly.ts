export interface SparinglyOptions {
  /** How long the same is not said again. */
  readonly everyMs: number
  /** Different ones that are said and kept in that time. */
  readonly most: number
  /** Of a clock that is never set. */
  readonly elapsed: () => number
}

/**
 * For log lines that strangers can cause: each thing is said once in a while, and of many different ones only so many.
 * `say` is told when others go unsaid from then on.
 */
export function sparingly({ everyMs, most, elapsed }: SparinglyOptions) {
  /** The oldest first. */
  const said = new Map<string, number>()
  return (thing: string, say: (othersGoUnsaid: boolean) => void): void => {
    const now = elapsed()
    for (const [one, at] of said) {
      if (now - at < everyMs) break
      said.delete(one)
    }
    if (said.has(thing) || said.size >= most) return
    said.set(thing, now)
    say(said.size === most)
  }
}
