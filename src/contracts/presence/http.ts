import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { refuse } from '../../../machines/kernel.ts'
import { displayNameOf } from '../../../machines/person/profile.ts'
import { personIn, personName } from '../../../machines/stream.ts'
import type { OnlineRow } from '../../../projections/online.ts'
import type { Node } from '../../delivery/contract.ts'
import { peopleIn } from '../../delivery/online-model.ts'
import { ROLES } from '../../gateway/auth/tokens.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { afterId, limit } from '../../gateway/http/schemas.ts'
import type { Hubs } from '../../presence/hubs.ts'
import { LeasesUnavailable } from '../../presence/leases.ts'
import { presenceRefusals } from './refusals.ts'

export type PresenceRoutesParts = Pick<Node, 'online' | 'profiles' | 'leases'> & { readonly hubs: Pick<Hubs, 'count'> }

const Present = z
  .object({
    id: z.string(),
    role: z.enum(ROLES),
    display_name: z.string(),
    state: z.enum(['online', 'lost']).openapi({ description: 'lost: the connection broke and may still come back' }),
    since: z.number().int().openapi({ description: 'milliseconds since 1970' }),
    sockets: z.number().int().nullable().openapi({ description: 'on all nodes; null: cannot be counted now' }),
  })
  .openapi('Present')
const hubCount = z
  .number()
  .int()
  .nullable()
  .openapi({ description: 'TeacherHub connections of your organisation, on all nodes' })

/**
 * `GET /api/v1/presence`: what the keys in Redis tell other programs, and more, with Redis and without. Who is here and
 * since when is what was recorded, as this node has heard it; how many sockets they have is counted in the leases, of
 * all nodes.
 */
export function presenceRoutes(
  app: OpenAPIHono<HttpEnv>,
  { online, profiles, leases, hubs }: PresenceRoutesParts,
): void {
  const { list } = resources(app, presenceRefusals)

  list(
    {
      method: 'get',
      path: '/api/v1/presence',
      summary: 'Who of your organisation is online, by id; visitors are not listed (teachers and admins)',
      description: 'People who are here',
      query: { role: z.enum(ROLES).optional(), limit: limit(1_000, 200), after: afterId },
      items: Present,
      besides: { next: z.string().optional(), hubs: hubCount },
    },
    async ({ identity: { org, role: mine }, query: { role, ...wanted } }) => {
      if (mine !== 'teacher' && mine !== 'admin') return refuse('teachers-only')
      const page: (OnlineRow & { readonly id: string })[] = []
      let next: string | undefined
      const { limit: most, after = '' } = wanted
      for (const [person, row] of online.after(peopleIn(org, role), personName({ org, id: after }))) {
        if (page.length === most) {
          next = page.at(-1)?.id
          break
        }
        page.push({ ...row, id: personIn(person).id })
      }
      const [counts, ofHubs] = await Promise.all([
        known(leases.count(page.map(({ id }) => personName({ org, id })))),
        known(hubs.count(org)),
      ])
      const data = page.map(({ id, role, state, since }, i) => {
        const display_name = displayNameOf(id, profiles.get({ org, id })?.profile ?? {})
        return { id, role, display_name, state, since, sockets: counts?.[i] ?? null }
      })
      return { data, next, hubs: ofHubs }
    },
  )
}

/** What was recorded is told even while leases cannot be counted. */
async function known<T>(count: Promise<T>): Promise<T | null> {
  return count.catch((error: unknown) => {
    if (error instanceof LeasesUnavailable) return null
    throw error
  })
}
