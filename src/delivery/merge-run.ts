import type { PlacedNotice } from './placed-notice.ts'

/** What is to be pushed next, together, and what stays for later. */
export interface Run {
  readonly run: readonly PlacedNotice[]
  readonly rest: PlacedNotice[]
}

/**
 * Takes as much of the queue as fits in one push: all notices of the first one's name that no other notice about the
 * same part goes before. So each part's notices keep their order, nothing is lost, and a part that changes again and
 * again holds up no other. Notices without a part go alone, and nothing overtakes them.
 */
export function nextRun(queue: readonly PlacedNotice[]): Run {
  const [first] = queue
  if (!first) return { run: [], rest: [] }
  if (first.notice.part === undefined) return { run: [first], rest: queue.slice(1) }
  const run: PlacedNotice[] = []
  const rest: PlacedNotice[] = []
  const waiting = new Set<string>()
  for (const [index, one] of queue.entries()) {
    const { name, part } = one.notice
    if (part === undefined) return { run, rest: [...rest, ...queue.slice(index)] }
    if (name === first.notice.name && !waiting.has(part)) run.push(one)
    else {
      rest.push(one)
      waiting.add(part)
    }
  }
  return { run, rest }
}
