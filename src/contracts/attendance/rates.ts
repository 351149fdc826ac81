import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Page, Period } from '../../gateway/http/pages.ts'
import { slice } from '../../slices.ts'
import { sorted } from '../../sorted.ts'
import type { ViewRunner } from '../../views/runner.ts'
import { type CourseAccess, teaches } from '../courses/access.ts'
import type { CourseList } from '../courses/list.ts'
import { iso } from '../shared/iso.ts'
import { CELL_TEXTS, type CellCode, cellsOf, tallyOf } from './cells.ts'
import type { CourseTable } from './course-table.ts'
import { peopleNamed } from './people-named.ts'
import { type TermTableParts, termTable } from './term-table.ts'

export interface RatesParts extends TermTableParts {
  readonly access: CourseAccess
  readonly courses: CourseList
  readonly views: Pick<ViewRunner, 'get'>
}

/** Who asks, until when they wait, and of which time. */
interface Asking {
  readonly by: Party
  readonly isGone: () => boolean
  readonly term: Period
}

/** Those of a course, by their id, whose rate is at least `minRate`. */
export interface RatesOf {
  readonly courseId: string
  readonly minRate: number | undefined
  readonly limit: number
  readonly after: string | undefined
}

/** How often students attended, from the same table as the CSV. */
export function attendanceRates(parts: RatesParts) {
  const { access, courses, views } = parts

  /** One student in the sessions of a course that say something of them; null when none does. */
  const ofStudent = (table: CourseTable, student: string) => {
    const cells = cellsOf(table, student, table.numberOf(student))
    return cells.some((code) => code !== 0) ? cells : null
  }

  return {
    /** Of one course, a page of its students. Students see themselves alone. */
    async ofCourse({ courseId, minRate, limit, after = '' }: RatesOf, { by, isGone, term }: Asking) {
      const course = await (by.role === 'student' ? access.visible(courseId, by) : access.taught(courseId, by))
      if (course instanceof Refusal) return course
      const table = await termTable(parts, by.org, courseId, term, isGone)
      if (table instanceof Refusal) return table
      const enrolled = new Set(course.students)
      const all =
        by.role === 'student' ? [by.id] : [...new Set([...enrolled, ...table.enrolments.ever(), ...table.marked])]
      const found: (readonly [string, readonly CellCode[]])[] = []
      for (const student of await sorted(all.filter((one) => one > after))) {
        await slice()
        const cells = ofStudent(table, student) ?? (enrolled.has(student) ? [] : null)
        if (cells === null || (minRate !== undefined && (tallyOf(cells).rate ?? -1) < minRate)) continue
        if (found.push([student, cells]) > limit || isGone()) break
      }
      const page = found.slice(0, limit)
      const people = await peopleNamed(
        views,
        by.org,
        page.map(([student]) => student),
      )
      const data = page.map(([student, cells], nth) => ({
        ...{ id: student, student_id: student, course_id: courseId },
        ...{ name: people[nth]?.name ?? null, email: people[nth]?.email ?? null },
        ...tallyOf(cells),
      }))
      return { data, next: found.length > limit ? page.at(-1)?.[0] : undefined }
    },

    /** Of one student, a page of the courses that they are enrolled in, the latest first, or one course. */
    async ofStudent(
      student: string,
      { courseId, limit, after }: { courseId: string | undefined; limit: number; after: string | undefined },
      { by, isGone, term }: Asking,
    ) {
      const { org, role } = by
      if (role !== 'student' && role !== 'teacher' && role !== 'admin') return refuse('teachers-only')
      if (role === 'student' && by.id !== student) return refuse('own-attendance-only')
      const page = await coursesFor(student, courseId, limit, after, by)
      if (page instanceof Refusal) return page
      const data = []
      for (const { id, title } of page.courses) {
        const table = await termTable(parts, org, id, term, isGone)
        if (table instanceof Refusal) return table
        const cells = ofStudent(table, student) ?? []
        const sessions = table.columns.flatMap((column, nth) => {
          const said = CELL_TEXTS[cells[nth] ?? 0] ?? ''
          return said === '' ? [] : [{ id: column.id, started_at: iso(column.startedAt), status: said }]
        })
        data.push({ id, course_id: id, title, student_id: student, ...tallyOf(cells), sessions })
      }
      return { data, next: page.next }
    },
  }

  async function coursesFor(
    student: string,
    courseId: string | undefined,
    limit: number,
    after: string | undefined,
    by: Party,
  ): Promise<{ courses: readonly { id: string; title: string }[]; next?: Page<unknown>['next'] } | Refusal> {
    if (courseId !== undefined) {
      const course = await (by.role === 'student' ? access.visible(courseId, by) : access.taught(courseId, by))
      return course instanceof Refusal ? course : { courses: [course] }
    }
    const { rows, next } = await courses.list({ org: by.org, role: 'student', id: student }, limit, after)
    const theirs = rows.filter(([, row]) => by.role !== 'teacher' || teaches(row, by))
    return { courses: theirs.map(([id, { title }]) => ({ id, title })), ...(next === undefined ? {} : { next }) }
  }
}
