import { counts } from '../../../machines/attendance/marks.ts'
import { type AttendanceSessionRow, studentCountOf } from '../../../projections/attendance-sessions.ts'
import { slice } from '../../slices.ts'
import { sorted } from '../../sorted.ts'
import { iso, isoOrNull } from '../shared/iso.ts'
import type { AttendanceReport, Fact } from './report.ts'

/** A session as lists show it. */
export function listedSession(id: string, row: AttendanceSessionRow) {
  const { ended, calledOff } = row
  return {
    id,
    course_id: row.courseId,
    teacher_id: row.teacherId,
    teacher_name: row.teacherName || row.teacherId, // a name that was erased leaves the id
    state: row.state,
    planned_minutes: row.plannedMinutes,
    check_in_mode: row.checkIn,
    late_after_minutes: row.lateAfterMinutes,
    started_at: iso(row.startedAt),
    due_at: iso(row.dueAt),
    ended_at: isoOrNull(ended?.at ?? null),
    ended_by: ended && (ended.byName || ended.by || 'system'),
    ended_by_id: ended?.by ?? null,
    end_reason: ended?.reason ?? null,
    ...(calledOff && {
      called_off_at: iso(calledOff.at),
      called_off_by: calledOff.byName || calledOff.by,
      called_off_by_id: calledOff.by,
    }),
    student_count: studentCountOf(row),
    final_statistics:
      ended && !calledOff ? { total: ended.total, present: row.present, absent: ended.total - row.present } : null,
    seq: row.seq,
  }
}

/**
 * The whole report, or what one student may see of it. Nothing in it but what the session's events say: no event ids,
 * no positions. Made a slice at a time, as of the event at which it stands when this is called.
 */
export async function reportedSession(id: string, { row, marks }: AttendanceReport, student?: string) {
  const now = student === undefined ? new Map(marks) : new Map([...marks].filter(([who]) => who === student))
  const shown: ReportedMark[] = []
  for (const who of await sorted([...now.keys()])) {
    // Marks grow in place: what is said meanwhile is not of this report.
    const facts = now.get(who)?.filter(({ seq }) => seq <= row.seq) ?? []
    if (facts.length === 0) continue
    shown.push({ ...reportedMark(who, facts), ...(counts(row.ended, who) ? {} : { counts: false as const }) })
    await slice()
  }
  return { ...listedSession(id, row), marks: shown }
}

type ReportedMark = ReturnType<typeof reportedMark> & { readonly counts?: false }

export function reportedMark(student: string, facts: readonly Fact[]) {
  const last = facts.at(-1)
  if (!last) throw new Error(`${student} has a mark of which nothing was said`)
  const { status, via, by, at, seq } = last
  return {
    student_id: student,
    status,
    via,
    by,
    at: iso(at),
    seq,
    history: facts.map((fact) => ({ ...saidAt(fact), seq: fact.seq })),
  }
}

const saidAt = ({ status, via, by, at, reason }: Fact) => ({ status, via, by, at: iso(at), reason })
