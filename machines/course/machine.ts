import { assign, type SnapshotFrom, setup } from 'xstate'
import type { CourseEvent } from './events.ts'

interface CourseContext {
  readonly org: string
  readonly title: string
  /** Arrays: copying one of 5,000 students costs a few microseconds, an object of as many keys a hundred times that. */
  readonly teachers: readonly string[]
  readonly students: readonly string[]
  readonly createdAt: number
}

/** new -> open. A course has no end yet. */
export const courseMachine = setup({
  types: { context: {} as CourseContext, events: {} as CourseEvent },
  actions: {
    found: assign((_, { org, title, teacherIds, at }: Extract<CourseEvent, { type: 'CourseCreated' }>) => ({
      org,
      title,
      teachers: teacherIds,
      createdAt: at,
    })),
    retitle: assign({ title: (_, { title }: { title: string }) => title }),
    addTeacher: assign({
      teachers: ({ context }, { teacherId }: { teacherId: string }): readonly string[] => [
        ...context.teachers,
        teacherId,
      ],
    }),
    removeTeacher: assign({
      teachers: ({ context }, { teacherId }: { teacherId: string }): readonly string[] =>
        context.teachers.filter((id) => id !== teacherId),
    }),
    addStudent: assign({
      students: ({ context }, { studentId }: { studentId: string }): readonly string[] => [
        ...context.students,
        studentId,
      ],
    }),
    removeStudent: assign({
      students: ({ context }, { studentId }: { studentId: string }): readonly string[] =>
        context.students.filter((id) => id !== studentId),
    }),
  },
}).createMachine({
  id: 'course',
  context: { org: '', title: '', teachers: [], students: [], createdAt: 0 },
  initial: 'new',
  states: {
    new: {
      on: { CourseCreated: { target: 'open', actions: { type: 'found', params: ({ event }) => event } } },
    },
    open: {
      on: {
        CourseRetitled: { actions: { type: 'retitle', params: ({ event }) => event } },
        TeacherAssigned: { actions: { type: 'addTeacher', params: ({ event }) => event } },
        TeacherWithdrawn: { actions: { type: 'removeTeacher', params: ({ event }) => event } },
        StudentEnrolled: { actions: { type: 'addStudent', params: ({ event }) => event } },
        StudentUnenrolled: { actions: { type: 'removeStudent', params: ({ event }) => event } },
      },
    },
  },
})

export type CourseState = SnapshotFrom<typeof courseMachine>
