import { type Party, type Refusal, refuse } from '../../../machines/kernel.ts'

/** The course as far as it decides who may look on. */
export interface Roster {
  readonly org: string
  readonly teachers: readonly string[]
  readonly students: readonly string[]
}

/**
 * Why somebody may not look at a course's sessions; null = they may: its students, its teachers, and the admins of the
 * organisation. Organisations are walls: a course of another one is answered exactly like one that does not exist
 * (`null`).
 */
export function notAmong(roster: Roster | null, { org, id, role }: Party): Refusal | null {
  if (roster === null || roster.org !== org) return refuse('no-such-course')
  if (role === 'admin') return null
  if (role === 'teacher' && roster.teachers.includes(id)) return null
  if (role === 'student' && roster.students.includes(id)) return null
  return refuse('not-in-course')
}
