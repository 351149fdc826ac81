import { streamName } from '../../../machines/stream.ts'
import { KeptFold } from '../../log/kept-fold.ts'
import type { Log } from '../../log/log.ts'
import { type AttendanceReport, type GrowingReport, grow } from './report.ts'

export interface AttendanceReports {
  /**
   * The session after everything that is recorded in it so far; undefined when nothing is. It goes on changing: whoever
   * needs it as it is takes what they need before they wait for anything else.
   */
  now(id: string): Promise<AttendanceReport | undefined>
}

/** Events, some 200 bytes each: ten of the largest sessions, or thousands of a class each. */
const KEPT_EVENTS = 150_000

/**
 * Reports that are asked for again and again while a class checks in, or one after another: kept, so that each look
 * reads only what came since the last one. How many are kept depends on how much was said in them.
 */
export function attendanceReports(log: Log, keptEvents = KEPT_EVENTS): AttendanceReports {
  const kept = new Map<string, KeptFold<GrowingReport>>()
  /** By id, of those that are kept: their events, as of the last look. */
  const weights = new Map<string, number>()
  let weight = 0

  const weigh = (id: string, events: number): void => {
    weight += events - (weights.get(id) ?? 0)
    if (events === 0) weights.delete(id)
    else weights.set(id, events)
  }

  return {
    async now(id) {
      const report = kept.get(id) ?? new KeptFold<GrowingReport>(log, streamName('attendance', id), grow)
      kept.delete(id) // to the end: the longest unused goes first
      kept.set(id, report)
      await report.catchUp()
      if (kept.get(id) === report) weigh(id, (report.state?.row.seq ?? 0) + 1)
      for (const oldest of kept.keys()) {
        if (weight <= keptEvents || oldest === id) break
        kept.delete(oldest)
        weigh(oldest, 0)
      }
      return report.state
    },
  }
}
