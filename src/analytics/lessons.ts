import type { LessonEvent } from '../../machines/lesson/events.ts'
import { keepNewest } from '../keep-newest.ts'
import type { Log } from '../log/log.ts'
import type { LessonFacts } from './events.ts'

const KEPT = 1_000

/**
 * Facts of a lesson by its stream, from the stream's first event, as long as possible from memory. Rejects with
 * LogUnavailable, or, when the stream does not begin with LessonScheduled, with what it found.
 */
export function lessonFacts(log: Log): (stream: string) => Promise<LessonFacts> {
  const known = new Map<string, LessonFacts>()

  return async (stream) => {
    const facts = known.get(stream) ?? (await read(log, stream))
    known.delete(stream) // to stand at the end again: the first is the one that was not needed for longest
    known.set(stream, facts)
    keepNewest(known, KEPT)
    return facts
  }
}

async function read(log: Log, stream: string): Promise<LessonFacts> {
  for await (const [first] of log.read(stream, { limit: 1 })) {
    const event = first?.event as LessonEvent | undefined // of a lesson's stream
    if (event?.type === 'LessonScheduled') return { org: event.org, teacherId: event.teacherId }
    throw new Error(`${stream} begins with ${event?.type}, not with LessonScheduled: its organisation is unknown`)
  }
  throw new Error(`${stream} is empty: its organisation is unknown`)
}
