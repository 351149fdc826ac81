import type { Party } from '../../../machines/kernel.ts'
import { type ProjectRow, projects } from '../../../projections/projects.ts'
import { type Period, type TimeList, timeList } from '../../gateway/http/pages.ts'

/** All of an organisation, or those of one participant. */
export interface OfPerson extends Period {
  readonly by: Party
}

export type ProjectList = TimeList<ProjectRow, OfPerson>

export const projectList = timeList<ProjectRow, OfPerson>({
  view: projects.name,
  prefixFor: ({ by: { org, id, role } }) => (role === 'admin' ? `org/${org}/` : `of/${org}/${id}/`),
})
