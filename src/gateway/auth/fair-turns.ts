import { type Refusal, refuse } from '../../../machines/kernel.ts'

/** Runs work of somebody when it is their turn, or refuses it (`overloaded`). */
export type FairTurns = <T>(key: string, work: () => Promise<T>) => Promise<T | Refusal>

interface Waiting {
  readonly go: () => void
  readonly giveUp: () => void
}

/**
 * At most `atOnce` at a time. Those who wait take turns by key, so that a thousand of one key keep nobody else waiting
 * for longer than one of them; and where no more may wait, the newest of whoever has most waiting gives way.
 */
export function fairTurns(atOnce: number, most: { readonly inAll: number; readonly perKey: number }): FairTurns {
  /** In the order of their turns. */
  const lines = new Map<string, Waiting[]>()
  let waiting = 0
  let running = 0

  const giveWay = (key: string): boolean => {
    const own = lines.get(key)?.length ?? 0
    let longest: Waiting[] = []
    for (const line of lines.values()) if (line.length > longest.length) longest = line
    if (longest.length <= own + 1) return false
    waiting -= 1
    longest.pop()?.giveUp()
    return true
  }

  const mayWait = (key: string): boolean =>
    (lines.get(key)?.length ?? 0) < most.perKey && (waiting < most.inAll || giveWay(key))

  const waitFor = (key: string): Promise<boolean> =>
    new Promise((resolve) => {
      const line = lines.get(key) ?? []
      line.push({ go: () => resolve(true), giveUp: () => resolve(false) })
      lines.set(key, line)
      waiting += 1
    })

  /** Hands the turn over, or ends it. */
  const over = (): void => {
    for (const [key, line] of lines) {
      const next = line.shift()
      lines.delete(key)
      if (line.length > 0) lines.set(key, line) // behind all others
      if (next === undefined) continue
      waiting -= 1
      next.go()
      return
    }
    running -= 1
  }

  return async (key, work) => {
    if (running < atOnce) running += 1
    else if (!mayWait(key) || !(await waitFor(key))) return refuse('overloaded')
    try {
      return await work()
    } finally {
      over()
    }
  }
}
