import { courses as courseView } from '../../../projections/courses.ts'
import type { Contract } from '../../delivery/contract.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import { courseAccess } from './access.ts'
import { courseRoutes } from './http.ts'
import { courseList } from './list.ts'
import { courseRefusals } from './refusals.ts'

/** Courses: who teaches, and who attends. */
export const courses: Contract = {
  name: 'courses',
  namespace: '/',
  views: [courseView],
  wire: {},
  refusals: courseRefusals,
  open: ({ entities, views, upTo, clock }) => ({
    routes: (app) =>
      courseRoutes(app, {
        admission: admissionQueue(entities),
        access: courseAccess(entities),
        courses: courseList(views, upTo),
        now: clock.now,
      }),
  }),
}
