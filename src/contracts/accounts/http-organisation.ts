import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { fields } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import type { Entities } from '../../runtime/entities.ts'
import { accountRefusals } from './refusals.ts'

export interface OrganisationRoutesParts {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const Organisation = z.object({ id: z.string(), title: z.string().nullable() }).openapi('Organisation')
const Opening = fields({ title: z.string().trim().min(1).max(320).optional() }).openapi('OpenOrganisation')

/** `POST /api/v1/organisation`, which `lyceum org create` asks a server that runs. */
export function organisationRoutes(app: OpenAPIHono<HttpEnv>, { entities, now }: OrganisationRoutesParts): void {
  const { act } = resources(app, accountRefusals)
  act(
    {
      method: 'post',
      path: '/api/v1/organisation',
      summary: 'Open your organisation, or give it another title (admins only); asking again is harmless',
      description: 'The organisation',
      body: Opening,
      data: Organisation,
    },
    async ({ by, call, body: { title = null } }) => {
      if (by.role !== 'admin') return refuse('admin-only')
      const command = { type: 'OpenOrganisation', how: 'command', title, by, at: now() } as const
      const opened = await entities.ask('organisation', by.org, command, call)
      if (opened instanceof Refusal) return opened
      return { id: by.org, title: (await entities.state('organisation', by.org)).state.context.title }
    },
  )
}
