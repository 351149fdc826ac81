import type { OpenAPIHono } from '@hono/zod-openapi'
import { refuse } from '../../../machines/kernel.ts'
import type { Follower } from '../../delivery/follower.ts'
import { refused } from '../../gateway/http/errors.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import type { Hubs } from '../../presence/hubs.ts'
import { type Leases, LeasesUnavailable } from '../../presence/leases.ts'
import { displayNameOf } from '../shared/people.ts'
import { maySeePresence } from './inbound.ts'
import { listPresence } from './routes.ts'

export interface PresenceRoutesParts {
  readonly follower: Pick<Follower, 'desk' | 'profiles'>
  readonly leases: Pick<Leases, 'count'>
  readonly hubs: Pick<Hubs, 'count'>
}

/**
 * `GET /api/v1/presence`: what the keys in Redis tell other programs, and more, with Redis and without. Who is here and
 * since when is what was recorded, as this node has heard it; how many sockets they have is counted in the leases, of
 * all nodes.
 */
export function presenceRoutes(app: OpenAPIHono<HttpEnv>, { follower, leases, hubs }: PresenceRoutesParts): void {
  app.openapi(listPresence, async (c) => {
    const { org, role: mine } = c.get('identity')
    if (!maySeePresence(mine)) return refused(c, refuse('teachers-only'), SENTENCES)
    const { role, limit, after = '' } = c.req.valid('query')
    const present = [...follower.desk.office(org).online]
      .filter(([id, row]) => row.role !== 'visitor' && id > after && (role === undefined || row.role === role))
      .sort(([one], [other]) => (one < other ? -1 : 1))
    const page = present.slice(0, limit)
    const [counts, ofHubs] = await Promise.all([
      known(leases.count(page.map(([id]) => `${org}.${id}`))),
      known(hubs.count(org)),
    ])
    const data = page.map(([id, { role, state, since }], i) => {
      const display_name = displayNameOf(id, follower.profiles.get(org, id)?.profile ?? {})
      return { id, role, display_name, state, since, sockets: counts?.[i] ?? null }
    })
    const last = page.at(-1)
    return c.json({ data, ...(present.length > limit && last ? { next: last[0] } : {}), hubs: ofHubs }, 200)
  })
}

const SENTENCES = { 'teachers-only': 'only teachers and admins may see who is online' }

/** What was recorded is told even while leases cannot be counted. */
async function known<T>(count: Promise<T>): Promise<T | null> {
  return count.catch((error: unknown) => {
    if (error instanceof LeasesUnavailable) return null
    throw error
  })
}
