import { mails } from '../../../projections/mails.ts'
import { projects as projectView } from '../../../projections/projects.ts'
import type { Contract } from '../../delivery/contract.ts'
import { admissionQueue } from '../../runtime/admission-queue.ts'
import { numbers as openNumbers } from '../../runtime/numbers.ts'
import { projectAccess } from './access.ts'
import { filePace } from './file-pace.ts'
import { projectRoutes } from './http.ts'
import { messageRoutes } from './http-messages.ts'
import { streamRoutes } from './http-stream.ts'
import { projectAsked, projectInbound } from './inbound.ts'
import { datesIn } from './items.ts'
import { keptFiles } from './kept-files.ts'
import { projectList } from './list.ts'
import { projectMails } from './mails.ts'
import { messageBytes } from './message-bytes.ts'
import { projectPast } from './missed.ts'
import { peopleInProject, projectNotices } from './notices.ts'
import { projectHistory, projectsModel } from './projects-model.ts'
import { projectRefusals } from './refusals.ts'
import { NAMESPACE } from './rooms.ts'
import { projectCalls } from './send.ts'
import { projectAnswers, projectShapes } from './shapes.ts'
import { tickets as openTickets } from './tickets.ts'
import { projectTopic } from './topic.ts'
import { usersNow } from './users-now.ts'

/** A file of 5 MiB as base64, and what stands around it. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024

/** Contract 002: projects, what is said and sent in them, and what people are told of them. */
export const projects: Contract = {
  name: 'projects',
  namespace: NAMESPACE,
  door: { roles: ['agent', 'supervisor', 'admin', 'teacher', 'student'], maxFrameBytes: MAX_FRAME_BYTES },
  views: [projectView, mails],
  wire: projectShapes,
  toOne: projectAnswers,
  calls: projectAsked,
  refusals: projectRefusals,
  open(node) {
    const { entities, log, clock, views, upTo, files, config, follower, outlet, onError } = node
    const admission = admissionQueue(entities)
    const access = projectAccess(entities)
    const numbers = openNumbers({ entities, log, now: clock.now })
    const users = usersNow({ entities, now: clock.now })
    const dateOf = datesIn(config.timeZone)
    const bytes = messageBytes({ files, clock, onError: (error) => onError(error, 'files') })
    const pace = filePace({ outlet, bytes, onError: (error) => onError(error, 'files') })
    const joined = node.subscriptionsTo(projectTopic({ log, entities, access, told: pace.told }))
    const past = projectPast({ log, views, dateOf, bytes })
    const now = clock.now
    const history = projectHistory(log)
    const model = projectsModel(log, history)
    const policies = [projectMails({ ...node, rowOf: model.rowOf }), keptFiles(node)]
    return {
      feeds: [
        {
          model,
          notices: projectNotices(dateOf),
          people: peopleInProject,
          pace,
        },
      ],
      inbound: projectInbound(projectCalls({ entities, admission, access, numbers, files, joined, clock })),
      subscriptions: [joined],
      policies,
      stop: async () => void (await Promise.all(policies.map((policy) => policy.stop()))),
      past,
      routes(app) {
        const list = projectList(views, upTo)
        streamRoutes(app, {
          ...{ entities, authenticator: node.authenticator, streams: node.streams, users, onError },
          known: { log, follower },
          catchUp: node.catchUp([past]),
          tickets: openTickets(entities, now),
        })
        projectRoutes(app, { admission, entities, access, numbers, projects: list, history, users, dateOf, now })
        messageRoutes(app, { log, access, numbers, users, files, dateOf })
      },
    }
  },
}
