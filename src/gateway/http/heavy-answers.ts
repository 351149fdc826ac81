import { type Refusal, refuse } from '../../../machines/kernel.ts'

/** What may run at once, and who waits for it. */
export interface HeavyBounds {
  readonly atOnce: number
  readonly waiting: number
  /** Of one person. */
  readonly waitingEach: number
  /** Whoever has waited longer is refused. */
  readonly patienceMs: number
  /** Whoever takes an answer more slowly holds up their own next one, and nobody else's. */
  readonly holdMs: number
}

/** Most of what waits is over in milliseconds: a class that comes at once waits, as does a page that asks for much. */
export const HEAVY: HeavyBounds = { atOnce: 2, waiting: 10_000, waitingEach: 100, patienceMs: 10_000, holdMs: 15_000 }

/** Worth another try after so long: others have had their answers by then. */
const AGAIN_S = '5'

/** Heavy answers, few at a time: see `HeavyBounds`. */
export interface HeavyAnswers {
  /**
   * Resolves to what ends it, when it is this person's turn; or refuses it (`heavy-answers`). Two at once of a node,
   * one of a person; organisations take turns, so that a hundred who ask in one of them keep the next one waiting for
   * one answer. `gone`: the client does not wait any more.
   */
  begin(org: string, person: string, gone: AbortSignal): Promise<(() => void) | Refusal>
  /** How many run, and how many wait. */
  size(): { readonly running: number; readonly waiting: number }
}

interface Waiting {
  readonly person: string
  readonly settle: (answer: (() => void) | Refusal) => void
}

export function heavyAnswers(bounds: HeavyBounds = HEAVY): HeavyAnswers {
  /** By organisation, in the order of their turns. */
  const lines = new Map<string, Waiting[]>()
  const people = new Set<string>()
  const waitingOf = new Map<string, number>()
  let running = 0
  let waiting = 0

  const start = (person: string): (() => void) => {
    people.add(person)
    running++
    let holds = true
    const pass = (): void => {
      if (!holds) return
      holds = false
      running--
    }
    const slow = setTimeout(() => {
      pass()
      goOn()
    }, bounds.holdMs).unref()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      clearTimeout(slow)
      people.delete(person)
      pass()
      goOn()
    }
  }

  const count = (person: string, more: 1 | -1): void => {
    const now = (waitingOf.get(person) ?? 0) + more
    if (now > 0) waitingOf.set(person, now)
    else waitingOf.delete(person)
  }

  const remove = (org: string, one: Waiting): boolean => {
    const line = lines.get(org) ?? []
    const nth = line.indexOf(one)
    if (nth < 0) return false
    line.splice(nth, 1)
    waiting--
    count(one.person, -1)
    if (line.length === 0) lines.delete(org)
    return true
  }

  const goOn = (): void => {
    for (const [org, line] of lines) {
      if (running >= bounds.atOnce) return
      const next = line.find(({ person }) => !people.has(person))
      if (next === undefined) continue
      remove(org, next)
      if (line.length > 0) {
        lines.delete(org)
        lines.set(org, line) // behind all others
      }
      next.settle(start(next.person))
    }
  }

  return {
    begin(org, person, gone) {
      if (running < bounds.atOnce && !people.has(person) && waiting === 0) return Promise.resolve(start(person))
      const line = lines.get(org) ?? []
      const own = waitingOf.get(person) ?? 0
      const no = refuse('heavy-answers', { seconds: AGAIN_S })
      if (waiting >= bounds.waiting || own >= bounds.waitingEach) return Promise.resolve(no)
      return new Promise((resolve) => {
        const leave = (): void => void (remove(org, one) && one.settle(no))
        const timer = setTimeout(leave, bounds.patienceMs).unref()
        const one: Waiting = {
          person,
          settle(answer) {
            clearTimeout(timer)
            gone.removeEventListener('abort', leave)
            resolve(answer)
          },
        }
        gone.addEventListener('abort', leave)
        line.push(one)
        lines.set(org, line)
        waiting++
        count(person, 1)
        goOn()
        if (gone.aborted) leave()
      })
    },
    size: () => ({ running, waiting }),
  }
}
