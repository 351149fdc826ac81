import { isAnonymous } from '../../../machines/presence/anonymous.ts'
import { personIn } from '../../../machines/stream.ts'
import { comings } from '../../../projections/comings.ts'
import { type OnlineRow, online } from '../../../projections/online.ts'
import type { Contract, Node } from '../../delivery/contract.ts'
import type { Change, Feed } from '../../delivery/feed.ts'
import { movedSince, presenceStream } from '../../delivery/moved.ts'
import { presenceRoutes } from './http.ts'
import { hubsRoom, teacherNotices } from './notices.ts'
import { presenceRefusals } from './refusals.ts'
import { participantShape, presenceShapes } from './shapes.ts'

/** Contract 000: who is here. Teachers and students connect, hubs look on. */
export const presence: Contract = {
  name: 'presence',
  namespace: '/',
  views: [online, comings],
  wire: presenceShapes,
  toOne: { participant_id: participantShape },
  refusals: presenceRefusals,
  open: (node) => ({
    feeds: [teachersFeed(node.online)],
    past: {
      async streams({ kind, party: { org } }, from, upTo) {
        return kind === 'hub'
          ? (await movedSince(node.views, comings.name, org, { from, upTo })).map(presenceStream)
          : []
      },
      feeds: ({ online }) => [teachersFeed(online)],
    },
    rooms: ({ kind, party: { org } }) => (kind === 'hub' ? [hubsRoom(org)] : []),
    arrive({ party: { id: participant_id }, participantToken: token, emit }) {
      // Who they are now, and what to send as `auth.token` to be the same again.
      if (token !== undefined) emit('participant_id', { participant_id, token })
      return undefined
    },
    routes: (app) => presenceRoutes(app, node),
  }),
}

const teachersFeed = (model: Node['online']): Feed<Change<OnlineRow>> => ({
  model,
  people({ key, after }) {
    const person = personIn(key)
    return after && !isAnonymous(person) ? [person] : []
  },
  notices: teacherNotices,
})
