import { isAnonymous } from '../../../machines/presence/anonymous.ts'
import { personIn } from '../../../machines/stream.ts'
import { online } from '../../../projections/online.ts'
import type { Contract } from '../../delivery/contract.ts'
import { presenceRoutes } from './http.ts'
import { hubsRoom, teacherNotices } from './notices.ts'
import { presenceRefusals } from './refusals.ts'
import { presenceShapes } from './shapes.ts'

/** Contract 000: who is here. Teachers and students connect, hubs look on. */
export const presence: Contract = {
  name: 'presence',
  namespace: '/',
  views: [online],
  wire: presenceShapes,
  refusals: presenceRefusals,
  open: (node) => ({
    feeds: [
      {
        model: node.online,
        people({ key, after }) {
          const person = personIn(key)
          return after && !isAnonymous(person) ? [person] : []
        },
        notices: teacherNotices,
      },
    ],
    rooms: ({ kind, party: { org } }) => (kind === 'hub' ? [hubsRoom(org)] : []),
    arrive({ party: { id: participant_id }, participantToken: token, emit }) {
      // Who they are now, and what to send as `auth.token` to be the same again.
      if (token !== undefined) emit('participant_id', { participant_id, token })
      return undefined
    },
    routes: (app) => presenceRoutes(app, node),
  }),
}
