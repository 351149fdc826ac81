import { streamName } from '../../../machines/stream.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Log } from '../../log/log.ts'
import { type AttendanceReport, type GrowingReport, grow } from './report.ts'

export interface AttendanceReports {
  /**
   * The session after everything that is recorded in it so far; undefined when nothing is. It goes on changing: whoever
   * needs it as it is takes what they need before they wait for anything else.
   */
  now(id: string): Promise<AttendanceReport | undefined>
}

/**
 * Reports that are asked for again and again while a class checks in: kept, so that each look reads only what came
 * since the last one.
 */
export function attendanceReports(log: Log, keep = 32): AttendanceReports {
  const kept = new Map<string, KeptReport>()
  return {
    async now(id) {
      const report = kept.get(id) ?? new KeptReport(log, id)
      kept.delete(id) // to the end: the longest unused goes first
      kept.set(id, report)
      keepNewest(kept, keep)
      await report.catchUp()
      return report.report
    },
  }
}

/** One session's report in the making. */
class KeptReport {
  readonly #log: Log
  readonly #stream: string
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined
  report: GrowingReport | undefined

  constructor(log: Log, id: string) {
    this.#log = log
    this.#stream = streamName('attendance', id)
  }

  /**
   * What is recorded by now. A reading that is under way may have missed it; all who come meanwhile share the next one.
   */
  catchUp(): Promise<void> {
    if (!this.#reading) return this.#start()
    const again = () => {
      this.#next = undefined
      return this.#start()
    }
    this.#next ??= this.#reading.then(again, again)
    return this.#next
  }

  #start(): Promise<void> {
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    this.#reading = reading
    return reading
  }

  async #read(): Promise<void> {
    for await (const batch of this.#log.read(this.#stream, { from: this.#seq + 1 }))
      for (const recorded of batch) if (recorded.revision > this.#seq) this.report = grow(this.report, recorded)
  }

  /** Of the last event that it has seen. */
  get #seq(): number {
    return this.report?.row.seq ?? -1
  }
}
