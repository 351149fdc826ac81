import type { AttendanceEvent, MarkStatus } from '../../../machines/attendance/events.ts'
import { type Recorded, unreachable } from '../../../machines/kernel.ts'
import {
  ATTENDANCE_STREAM,
  type AttendanceSessionRow,
  attendanceSessions,
} from '../../../projections/attendance-sessions.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Log } from '../../log/log.ts'

/** What was once said of a student: `seq` is the revision of the event that says so. */
export interface Fact {
  readonly status: MarkStatus
  readonly via: 'code' | 'teacher'
  readonly by: string
  readonly at: number
  readonly reason: string | null
  readonly seq: number
}

/** A session and all that was ever said of its students, as of one of its events. */
export interface AttendanceReport {
  readonly row: AttendanceSessionRow
  /** By student, in the order in which it was said: the last one counts. Never empty. */
  readonly marks: ReadonlyMap<string, readonly Fact[]>
}

/** The session after its event `seq`, from the log alone; undefined when it has no such event. */
export async function attendanceAt(log: Log, id: string, seq: number): Promise<AttendanceReport | undefined> {
  const fold = new ReportFold(log, id)
  await fold.read(seq + 1)
  const report = fold.report()
  return report?.row.seq === seq ? report : undefined
}

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
  const folds = new Map<string, ReportFold>()
  return {
    async now(id) {
      const fold = folds.get(id) ?? new ReportFold(log, id)
      folds.delete(id) // to the end: the longest unused goes first
      folds.set(id, fold)
      keepNewest(folds, keep)
      await fold.catchUp()
      return fold.report()
    },
  }
}

/** One session's report in the making. */
class ReportFold {
  readonly #log: Log
  readonly #id: string
  readonly #marks = new Map<string, Fact[]>()
  #row: AttendanceSessionRow | undefined
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(log: Log, id: string) {
    this.#log = log
    this.#id = id
  }

  report(): AttendanceReport | undefined {
    return this.#row && { row: this.#row, marks: this.#marks }
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
    const reading = this.read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    this.#reading = reading
    return reading
  }

  async read(limit?: number): Promise<void> {
    const from = (this.#row?.seq ?? -1) + 1
    for await (const batch of this.#log.read(ATTENDANCE_STREAM + this.#id, {
      from,
      ...(limit === undefined ? {} : { limit }),
    }))
      for (const recorded of batch) this.#move(recorded as unknown as Recorded<AttendanceEvent>) // of a session's stream
  }

  #move(recorded: Recorded<AttendanceEvent>): void {
    if (recorded.revision <= (this.#row?.seq ?? -1)) return
    this.#row = attendanceSessions.fold(this.#row, recorded)
    const said = factOf(recorded)
    if (!said) return
    const before = this.#marks.get(said.studentId)
    if (before) before.push(said.fact)
    else this.#marks.set(said.studentId, [said.fact])
  }
}

type Said = { readonly studentId: string; readonly fact: Fact } | undefined

/** What an event says of a student; undefined when it is about the session itself. */
export function factOf({ event, revision: seq }: Pick<Recorded<AttendanceEvent>, 'event' | 'revision'>): Said {
  switch (event.type) {
    case 'StudentMarked': {
      const { studentId, status, via, by, at, reason } = event
      return { studentId, fact: { status, via, by, at, reason, seq } }
    }
    case 'MarkCorrected': {
      const { studentId, status, by, at, reason } = event
      return { studentId, fact: { status, via: 'teacher', by, at, reason, seq } }
    }
    case 'AttendanceStarted':
    case 'AttendanceEnded':
      return undefined
    default:
      return unreachable(event)
  }
}
