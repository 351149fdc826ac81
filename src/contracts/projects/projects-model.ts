import type { Recorded } from '../../../machines/kernel.ts'
import type { ProjectEvent } from '../../../machines/project/events.ts'
import { idIn, isOf } from '../../../machines/stream.ts'
import { type ProjectRow, projects } from '../../../projections/projects.ts'
import type { Foreseeing } from '../../delivery/feed.ts'
import { keepNewest } from '../../keep-newest.ts'
import { type FoldHistory, foldHistory } from '../../log/fold-history.ts'
import { lastOf } from '../../log/last-of.ts'
import type { Log } from '../../log/log.ts'

/** An event of a project, and the project before and after it. */
export interface ProjectChange {
  readonly number: number
  readonly recorded: Recorded<ProjectEvent>
  readonly before: ProjectRow | undefined
  readonly after: ProjectRow
}

/** Projects in which something happened lately; others are made from their stream when something does. */
const MAX_KNOWN = 2_000

export const projectHistory = (log: Log): FoldHistory<ProjectRow> =>
  foldHistory({ log, fold: projects.fold, weigh: ({ participants, everIn }) => participants.length + everIn.length })

export interface ProjectsModel extends Foreseeing<ProjectChange> {
  /** Of a stream in which something has just been heard. */
  rowOf(stream: string): ProjectRow | undefined
}

export function projectsModel(log: Log, history: FoldHistory<ProjectRow>): ProjectsModel {
  const rows = new Map<string, ProjectRow>()
  const put = (stream: string, row: ProjectRow): void => {
    rows.delete(stream)
    rows.set(stream, row)
    keepNewest(rows, MAX_KNOWN)
  }
  const changeOf = (recorded: Recorded): ProjectChange | undefined => {
    if (!isOf('project', recorded)) return undefined
    const before = rows.get(recorded.stream)
    if ((before?.seq ?? -1) !== recorded.revision - 1) return undefined
    const after = projects.fold(before, recorded)
    return after && { number: Number(idIn('project', recorded.stream)), recorded, before, after }
  }
  return {
    category: 'project',
    rowOf: (stream) => rows.get(stream),
    isMissing: ({ stream, revision }) => revision > 0 && (rows.get(stream)?.seq ?? -1) < revision - 1,
    async load({ stream, revision }) {
      const past = await history.at(stream, revision - 1)
      if (past) put(stream, past.state)
    },
    changeOf,
    onEvent(recorded) {
      const change = changeOf(recorded)
      if (change) put(recorded.stream, change.after)
      return change
    },
    seed: async () => (await lastOf(log)) ?? null,
  }
}
