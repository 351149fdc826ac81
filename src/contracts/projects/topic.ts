import { Refusal } from '../../../machines/kernel.ts'
import { idIn, isOf, streamName } from '../../../machines/stream.ts'
import { eventRef } from '../../delivery/notice.ts'
import type { TakenOut, Topic } from '../../delivery/subscriptions.ts'
import type { Log, Recorded } from '../../log/log.ts'
import { recordedAt } from '../../log/recorded-at.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { ProjectAccess } from './access.ts'
import { projectRefusals } from './refusals.ts'
import { pairRoom, projectRoom } from './rooms.ts'
import type { ProjectAnswers } from './wire.ts'

export interface ProjectTopicParts {
  readonly log: Log
  readonly entities: Pick<Entities, 'state'>
  readonly access: ProjectAccess
  /** Resolves when what this node has heard of a project has gone out. */
  readonly told: (number: number) => Promise<void>
}

/** A project as something that sockets join, for its participants. */
export const projectTopic = ({ log, entities, access, told }: ProjectTopicParts): Topic => ({
  name: 'project',
  hasPast: true,
  rooms: (id, by) => [projectRoom(Number(id)), pairRoom(Number(id), by.id)],
  category: 'project',
  async admits(id, by) {
    const found = await access.ofParticipant(Number(id), by)
    return found instanceof Refusal ? found : found.seq
  },
  async opening(id) {
    const { revision } = await entities.state('project', id)
    const recorded = await recordedAt(log, streamName('project', id), revision)
    if (!recorded) throw new Error(`project ${id} has lost event ${revision}`)
    const data: ProjectAnswers['joined_project'] = { project_id: Number(id), ...eventRef(recorded) }
    return () => ({ name: 'joined_project', data })
  },
  takesOut,
  saidIn: (id) => streamName('project', id),
  told: (id) => told(Number(id)),
  farewell(_, isGone) {
    const code = isGone ? 'no-such-project' : 'not-a-participant'
    const data: ProjectAnswers['error'] = { message: projectRefusals[code][1], code, event: 'join_project' }
    return { name: 'error', data }
  },
})

/** Whom an event of a project keeps from hearing more. */
function takesOut(recorded: Recorded): TakenOut | null {
  if (!isOf('project', recorded)) return null
  const { event, revision: seq, stream } = recorded
  const topic = idIn('project', stream) ?? ''
  if (event.type === 'ProjectDeleted') return { topic, role: null, person: null, seq }
  if (event.type === 'MemberRemoved' || event.type === 'MemberLeft')
    return { topic, role: null, person: event.memberId, seq }
  return null
}
