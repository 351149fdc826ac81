import { z } from '@hono/zod-openapi'
import { fields } from '../../gateway/http/fields.ts'
import { idText } from '../../gateway/http/schemas.ts'

const STATUSES = ['present', 'absent', 'late', 'excused'] as const
const status = z.enum(STATUSES)
const via = z.enum(['code', 'teacher'])
export const STATES = ['active', 'ended', 'called_off'] as const
export const CHECK_IN_MODES = ['code', 'manual'] as const

const Mark = z
  .object({
    student_id: z.string(),
    status,
    via,
    by: z.string(),
    at: z.string(),
    seq: z.number(),
    history: z
      .array(z.object({ status, via, by: z.string(), at: z.string(), reason: z.string().nullable(), seq: z.number() }))
      .openapi({
        description: 'all that was ever said of this student here, the first fact first; the last one counts',
      }),
  })
  .openapi('AttendanceMark')

const counts = z.literal(false).optional().openapi({
  description: 'false, where the student was not enrolled at the end: then the mark is in no statistics',
})

export const ListedSession = z
  .object({
    id: z.string(),
    course_id: z.string(),
    teacher_id: z.string(),
    teacher_name: z.string(),
    state: z.enum(STATES),
    planned_minutes: z.number(),
    check_in_mode: z.enum(CHECK_IN_MODES),
    late_after_minutes: z.number().nullable(),
    started_at: z.string(),
    due_at: z.string().openapi({ description: 'when it is ended at the latest' }),
    ended_at: z.string().nullable(),
    ended_by: z.string().nullable().openapi({ description: 'a name; system when nobody ended it in time' }),
    ended_by_id: z.string().nullable(),
    end_reason: z.enum(['ended', 'overrun']).nullable(),
    called_off_at: z.string().optional().openapi({ description: 'only where it was called off, as who did it' }),
    called_off_by: z.string().optional(),
    called_off_by_id: z.string().optional(),
    student_count: z.number().openapi({ description: 'students who are marked present or late' }),
    final_statistics: z
      .object({ total: z.number(), present: z.number(), absent: z.number() })
      .nullable()
      .openapi({ description: 'of those who were enrolled at the end; null before, and when it was called off' }),
    seq: z.number(),
  })
  .openapi('ListedAttendanceSession')

const code = { code: z.string(), code_expires_at: z.string().openapi({ description: 'when a new code replaces it' }) }

export const Session = ListedSession.extend({
  marks: z.array(Mark.extend({ counts })).openapi({ description: 'by student_id; for students only their own' }),
  code: code.code
    .optional()
    .openapi({ description: 'for teachers of the course and admins, while students can check in by it' }),
  code_expires_at: code.code_expires_at.optional(),
}).openapi('AttendanceSession')

export const MarkOfSession = Mark.extend({ id: z.string(), session_id: z.string(), course_id: z.string() }).openapi(
  'AttendanceMarkOfSession',
)

export const CodeOfSession = z.object({ id: z.string(), ...code })

/** One of several: a mark, or why there is none. */
export const MarkOrRefusal = z.union([
  MarkOfSession,
  z.object({ student_id: z.string(), error: z.object({ code: z.string(), message: z.string() }) }),
])

const reason = z.string().trim().max(500).nullish()
const MAX_MARKS = 500

/** One mark, or `marks`. */
export const marksBody = fields({
  student_id: idText.optional(),
  status: status.optional(),
  reason,
  marks: z
    .array(fields({ student_id: idText, status, reason }))
    .min(1)
    .max(MAX_MARKS)
    .optional()
    .openapi({ description: 'in place of the other fields; each student once' }),
})
  .superRefine(({ marks, ...one }, context) => {
    const flaw = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    for (const name of ['student_id', 'status'] as const)
      if (marks === undefined && one[name] === undefined)
        flaw(name, 'is missing: send student_id and status, or a list of them as marks')
    for (const name of ['student_id', 'status', 'reason'] as const)
      if (marks !== undefined && one[name] !== undefined)
        flaw(name, 'does not go with marks: it belongs into one of them')
    const seen = new Set<string>()
    for (const { student_id: student } of marks ?? []) {
      if (seen.has(student)) flaw('marks', `${student} is there twice: send each student once`)
      seen.add(student)
    }
  })
  .openapi({ anyOf: [{ required: ['student_id', 'status'] }, { required: ['marks'] }] })
