import { streamName } from '../../../machines/stream.ts'
import { projects } from '../../../projections/projects.ts'
import type { Node } from '../../delivery/contract.ts'
import { movedInLog, movedSince } from '../../delivery/moved.ts'
import { personRoom } from '../../delivery/notice.ts'
import type { Past, PastStream } from '../../delivery/past.ts'
import { ViewsUnavailable } from '../../views/store.ts'
import type { DateOf } from './items.ts'
import type { MessageBytes } from './message-bytes.ts'
import { peopleInProject, projectNotices } from './notices.ts'
import { projectHistory, projectsModel } from './projects-model.ts'
import { projectIn } from './rooms.ts'

export interface ProjectPastParts extends Pick<Node, 'log' | 'views'> {
  readonly dateOf: DateOf
  readonly bytes: MessageBytes
}

/** What sockets have missed of the projects that they had joined, and streams of those their person ever was in. */
export function projectPast({ log, views, dateOf, bytes }: ProjectPastParts): Past {
  const history = projectHistory(log)
  const streamOf = (name: string): PastStream => ({ name, endsPast: () => true })
  return {
    async streams({ party }, from, upTo, rooms) {
      const joined = rooms.flatMap(projectIn).map((number) => streamName('project', String(number)))
      if (joined.length > 0 || !rooms.includes(personRoom(party))) return joined.map(streamOf)
      const within = { from, upTo }
      const moved = await movedSince(views, projects.name, `${party.org}/${party.id}`, within).then(
        (numbers) => numbers.map((number) => streamName('project', number)),
        (error: unknown) => {
          if (!(error instanceof ViewsUnavailable)) throw error
          return movedInLog(log, new Set(['project']), within) // of anybody: what is told there is told to others
        },
      )
      return moved.map(streamOf)
    },
    feeds: () => [{ model: projectsModel(log, history), notices: projectNotices(dateOf), people: peopleInProject }],
    completing: bytes.completing,
  }
}
