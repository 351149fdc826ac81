import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { refuse } from '../../../machines/kernel.ts'
import type { CatchUp, Missed } from '../../delivery/catch-up.ts'
import type { Served } from '../../delivery/contract.ts'
import { isAfter } from '../../delivery/cursor.ts'
import type { Follower } from '../../delivery/follower.ts'
import { type KnownCursorOptions, knownCursor } from '../../delivery/known-cursor.ts'
import { personRoom, STREAMS } from '../../delivery/notice.ts'
import type { HttpEnv } from './middleware.ts'
import { resources } from './resource.ts'
import { limit } from './schemas.ts'

export interface NoticesRouteParts extends KnownCursorOptions {
  readonly follower: KnownCursorOptions['follower'] & Pick<Follower, 'pos'>
  readonly contracts: readonly Pick<Served, 'rooms'>[]
  readonly catchUp: CatchUp
}

const Told = z
  .object({
    event: z.string(),
    data: z.record(z.string(), z.unknown()).openapi({ description: 'as it was pushed: see /api/v1/asyncapi.json' }),
    cursor: z.string().openapi({ description: 'hand it back as `after` to be told what came later' }),
  })
  .openapi('Notice')

/** `GET /api/v1/notices`: what sockets and streams of events are pushed, for clients that poll. */
export function noticesRoute(app: OpenAPIHono<HttpEnv>, parts: NoticesRouteParts): void {
  const { follower, contracts, catchUp } = parts

  resources(app, {}).list(
    {
      method: 'get',
      path: '/api/v1/notices',
      heavy: true,
      summary: 'What your sockets are pushed, after a cursor, in order; without one: from now on',
      description: 'Notices, oldest first',
      query: {
        after: z
          .string()
          .max(40)
          .optional()
          .openapi({ description: 'the `next` of the answer before, or the `pos` of a push' }),
        limit: limit(1_000, 100),
      },
      items: Told,
      besides: { next: z.string().openapi({ description: 'what to send as `after` the next time' }) },
    },
    async ({ by: party, query: { after, limit: most } }) => {
      const [upTo, next] = [follower.position(), follower.pos()]
      if (!after) return { data: [], next }
      const cursor = await knownCursor(parts, after)
      if (cursor === 'unknown') return refuse('cursor-unknown')
      if (cursor === 'behind') return refuse('unavailable')
      const hearer = { kind: 'app', party, query: {} } as const
      const rooms = [personRoom(party), ...contracts.flatMap((contract) => contract.rooms?.(hearer) ?? [])]
      const data: Missed[] = []
      const heard = { hearer, namespaces: ['/', STREAMS], rooms, moves: true }
      for await (const page of catchUp({ ...heard, after: cursor, upTo, isWanted: () => true })) {
        data.push(...page.slice(0, most - data.length))
        if (data.length >= most) break
      }
      const notices = data.map(({ name: event, data, cursor }) => ({
        event,
        data: data as Record<string, unknown>,
        cursor,
      }))
      return { data: notices, next: notices.length < most ? later(next, after) : (notices.at(-1)?.cursor ?? next) }
    },
  )
}

/** Where nothing is to be told, a client that knows more than this node goes on from there. */
const later = (next: string, after: string): string => (isAfter(after, next) ? after : next)
