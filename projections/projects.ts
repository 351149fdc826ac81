import type { Recorded } from '../machines/kernel.ts'
import type { ProjectEvent } from '../machines/project/events.ts'
import { afterProjectEvent, noProject, type Project } from '../machines/project/machine.ts'
import { padded } from './padded.ts'
import { projectionOf } from './projection.ts'

/** One project. Times are milliseconds since 1970. */
export interface ProjectRow extends Project {
  readonly seq: number
  readonly isDeleted: boolean
  /** Everybody who ever took part: they were told what happened then. */
  readonly everIn: readonly string[]
  /** Position of the last event that was told to people, not to the project's room; padded. */
  readonly actedAt: string
}

export const projects = projectionOf<ProjectRow, 'project'>('project', {
  name: 'projects',
  version: 1,
  fold,
  index: (number, { org, createdAt, participants, everIn, actedAt, isDeleted }) => {
    const when = `${String(createdAt).padStart(14, '0')}/${number}`
    const listed = isDeleted ? [] : [`org/${org}/${when}`, ...participants.map(({ id }) => `of/${org}/${id}/${when}`)]
    return [...listed, ...everIn.map((id) => `moved/${org}/${id}/${actedAt}/${number}`)]
  },
})

function fold(row: ProjectRow | undefined, { event, revision: seq, position }: Recorded<ProjectEvent>): ProjectRow {
  const fresh: ProjectRow = { ...noProject, seq, everIn: [], isDeleted: false, actedAt: '' }
  const { everIn, isDeleted, actedAt, ...before } = row ?? fresh
  const came = event.type === 'ProjectCreated' ? event.owner.id : null
  const added = event.type === 'MemberAdded' ? event.member.id : came
  return {
    ...afterProjectEvent(before, event),
    seq,
    isDeleted: isDeleted || event.type === 'ProjectDeleted',
    everIn: added === null || everIn.includes(added) ? everIn : [...everIn, added],
    actedAt: event.type === 'MessageSent' ? actedAt : padded(position),
  }
}
