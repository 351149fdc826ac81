/** One call of a visitor, from the moment in which its place among their calls is fixed to its answer. */
export interface VisitorTurn {
  /** True when it began while another call of the visitor stood aside: then it stands aside as well. */
  readonly mustStandAside: boolean
  /**
   * Resolves when every call that began earlier is answered. Whatever is under way stands aside from now on, and so
   * does whatever begins, until each of them goes on or ends.
   */
  standAside(): Promise<void>
  /** It stands where it belongs: calls that begin from now on need not stand aside because of it. */
  goOn(): void
  /** It is answered. */
  end(): void
}

/** The calls of each visitor that are under way, in the order in which they began. */
export function visitorTurns(): { begin(visitor: string): VisitorTurn } {
  const lines = new Map<string, Line>()

  return {
    begin(visitor) {
      const line = lines.get(visitor) ?? { calls: new Set(), aside: new Set() }
      lines.set(visitor, line)
      const mine: Standing = {}
      line.calls.add(mine)
      return {
        mustStandAside: line.aside.size > 0,
        standAside() {
          for (const one of line.calls) line.aside.add(one)
          if (firstOf(line.calls) === mine) return Promise.resolve()
          return new Promise((resolve) => {
            mine.proceed = resolve
          })
        },
        goOn: () => void line.aside.delete(mine),
        end() {
          line.aside.delete(mine)
          line.calls.delete(mine)
          if (line.calls.size === 0) lines.delete(visitor)
          else firstOf(line.calls)?.proceed?.()
        },
      }
    },
  }
}

interface Line {
  readonly calls: Set<Standing>
  /** Those that are not where they belong yet. */
  readonly aside: Set<Standing>
}

interface Standing {
  /** Set while it waits until it is the first. */
  proceed?: () => void
}

const firstOf = ([first]: Iterable<Standing>): Standing | undefined => first
