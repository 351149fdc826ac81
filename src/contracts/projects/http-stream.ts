import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { isOutdated } from '../../../machines/person/log-in.ts'
import type { CatchUp } from '../../delivery/catch-up.ts'
import type { Node } from '../../delivery/contract.ts'
import { type KnownCursorOptions, knownCursor, shownCursor } from '../../delivery/known-cursor.ts'
import { personOf } from '../../gateway/auth/accounts.ts'
import { AuthFailure, partyOf } from '../../gateway/auth/authenticator.ts'
import { tokenFrom } from '../../gateway/auth/tokens.ts'
import { failed, refused } from '../../gateway/http/errors.ts'
import { FAILURES } from '../../gateway/http/failures.ts'
import { queryOf } from '../../gateway/http/fields.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { opened } from '../../gateway/http/open-routes.ts'
import { resources } from '../../gateway/http/resource.ts'
import { httpRefusals } from '../../gateway/refusals.ts'
import { LogUnavailable } from '../../log/log.ts'
import { badRequest } from '../shared/bad-request.ts'
import { projectRefusals } from './refusals.ts'
import { type Holder, isTicket, OPEN_WITHIN_S, type Tickets } from './tickets.ts'
import type { UsersNow } from './users-now.ts'

export interface StreamRoutesParts extends Pick<Node, 'entities' | 'authenticator' | 'streams' | 'onError'> {
  readonly known: KnownCursorOptions
  readonly catchUp: CatchUp
  readonly tickets: Tickets
  readonly users: UsersNow
}

/** Pages of one person on one node. */
const MAX_STREAMS = 50
/** Until it is worth another try, in seconds: about as long as a page that vanished is taken for a reader. */
const FULL_S = 15

const refusals = { ...httpRefusals, ...projectRefusals }

/** `GET /api/v1/users/stream/<token>`: what happens to projects, for browsers' EventSource; and tickets for it. */
export function streamRoutes(app: OpenAPIHono<HttpEnv>, parts: StreamRoutesParts): void {
  const { entities, authenticator, streams, known, catchUp, tickets, users, onError } = parts
  const { act } = resources(app, projectRefusals)

  act(
    {
      method: 'post',
      path: '/api/v1/users/stream-ticket',
      summary: 'A ticket that opens a stream of events in place of a token, which addresses should not hold',
      description: 'A ticket',
      data: z.object({ ticket: z.string(), expires_in: z.int().openapi({ description: 'seconds' }) }),
    },
    async ({ identity, by }) => {
      if (by.role === 'visitor') return refuse('visitors-have-none')
      await users.introduce(identity)
      const ticket = await tickets.issue(by, identity.exp * 1_000, identity)
      return ticket instanceof Refusal ? ticket : { ticket, expires_in: OPEN_WITHIN_S }
    },
  )

  const holderOf = async (text: string): Promise<Holder | Refusal | AuthFailure> => {
    if (isTicket(text)) return tickets.use(text)
    const identity = await authenticator.verify(tokenFrom(text))
    if (identity instanceof AuthFailure) return identity
    const holder: Holder = { party: partyOf(identity), goodUntil: identity.exp * 1_000, logIn: identity }
    if ((await kept(holder)) === null) await users.introduce(identity)
    return holder
  }

  /** Null: they may. */
  const kept = async ({ party: { org, id, role }, logIn }: Holder): Promise<Refusal | null> => {
    if (role === 'visitor') return refuse('visitors-have-none')
    const person = await personOf(entities, org, id)
    if (person?.disabled) return refuse('account-disabled')
    return person && logIn && isOutdated(logIn, person) ? refuse('token-outdated') : null
  }

  /** To an EventSource an answer is final, and a lost connection is not: it comes back by itself. */
  const lose = (c: Context<HttpEnv>): Response => {
    c.env.outgoing?.destroy()
    return RESPONSE_ALREADY_SENT
  }

  const open = async (c: Context<HttpEnv>): Promise<Response> => {
    const query = queryOf({}).safeParse(c.req.query())
    if (!query.success) return refused(c, badRequest(query.error, 'query'), refusals)
    const holder = await holderOf(c.req.param('token') ?? '')
    if (holder instanceof AuthFailure) return holder.isPassing ? lose(c) : failed(c, 401, holder.code, holder.message)
    if (holder instanceof Refusal) return holder.code === 'bad-ticket' ? refused(c, holder, refusals) : lose(c)
    const { party, goodUntil } = holder
    const no = await kept(holder)
    if (!no && streams.countOf(party.org, party.id) >= MAX_STREAMS)
      return refused(c, refuse('too-many-streams', { most: String(MAX_STREAMS), seconds: String(FULL_S) }), refusals)
    if (no) return refused(c, no, refusals)
    const sent = c.req.header('Last-Event-ID')
    const cursor = sent === undefined || sent === '' ? undefined : await knownCursor(known, sent)
    if (cursor === 'behind') return lose(c)
    const { outgoing } = c.env
    if (!outgoing) throw new Error('a stream needs the response of Node itself')
    for (const [name, value] of c.res.headers) outgoing.setHeader(name, value) // of what was before it (CORS)
    streams.open({
      response: outgoing,
      hearer: { kind: 'app', party, query: {} },
      after: cursor === 'unknown' ? undefined : cursor,
      unknown: cursor === 'unknown' ? shownCursor(sent) : null,
      ...{ goodUntil, catchUp },
    })
    return RESPONSE_ALREADY_SENT
  }

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/v1/users/stream/{token}',
    summary: 'Server-sent events: `action_project`, each with an id that Last-Event-ID takes up again',
    request: { params: z.object({ token: z.string().openapi({ description: 'a ticket, or a token' }) }) },
    responses: {
      200: { description: 'Events, without an end', content: { 'text/event-stream': { schema: z.string() } } },
      ...{ 400: FAILURES[400], 401: FAILURES[401], 403: FAILURES[403], 429: FAILURES[429] },
    },
  })
  app.get(
    '/api/v1/users/stream/:token',
    opened(async (c: Context<HttpEnv>) => {
      // To whoever asks for the head alone it would never end.
      if (c.req.method === 'HEAD') return c.body(null, 405, { Allow: 'GET' })
      try {
        return await open(c)
      } catch (error) {
        if (!(error instanceof LogUnavailable)) onError(error, 'a stream of events')
        return lose(c)
      }
    }),
  )
}
