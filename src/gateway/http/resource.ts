import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Refusal } from '../../../machines/kernel.ts'
import type { Refusals } from '../../delivery/refusals.ts'
import type { Call } from '../../runtime/answer.ts'
import { partyOf } from '../auth/authenticator.ts'
import { tokenFrom } from '../auth/tokens.ts'
import { httpRefusals } from '../refusals.ts'
import type { Asked, Bytes, Json, None, Raw, Said, Visit } from './asked.ts'
import { refused } from './errors.ts'
import { listText } from './list-text.ts'
import { longJson } from './long-json.ts'
import type { HttpEnv } from './middleware.ts'
import { opened } from './open-routes.ts'
import type { Listed } from './pages.ts'
import { type AnyRoute, type Content, documented, json, type Route } from './route.ts'
import { type AnyTaken, taker } from './taken.ts'

/**
 * Serves routes of one contract: each is one description with its handler. In this order: the token (401), the shape of
 * path, query and body (400), on writes the `Idempotency-Key` (400, 409), then the handler, which gives the answer or a
 * refusal. `table` says what refusals are called.
 */
export function resources(app: OpenAPIHono<HttpEnv>, table: Refusals) {
  const refusals = { ...httpRefusals, ...table }
  const said = (c: Context, answer: Refusal | object, status: 200 | 201 = 200): Response => {
    if (answer instanceof Refusal) return refused(c, answer, refusals)
    const long = longJson(answer)
    return long ? c.body(long, status, { 'Content-Type': 'application/json' }) : c.json(answer, status)
  }
  const data = (answer: Refusal | unknown) => (answer instanceof Refusal ? answer : { data: answer })

  const serve = (
    route: AnyRoute,
    { status = 200, content, open = false }: Answering,
    answer: (c: Context<HttpEnv>, taken: AnyTaken) => Promise<Response>,
  ): void => {
    const config = documented(route, status, content, open)
    const take = taker(route, open)
    const handler = async (c: Context<HttpEnv>): Promise<Response> => {
      const taken = await take(c)
      if (taken instanceof Refusal) return refused(c, taken, refusals)
      if (!route.heavy) return answer(c, taken)
      return c.get('heavyTurn')(c, partyOf(c.get('identity')), c.env.outgoing, () => answer(c, taken))
    }
    app.openAPIRegistry.registerPath(config)
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), open ? opened(handler) : handler)
  }

  const requestOf = (c: Context<HttpEnv>, taken: AnyTaken, call: Call) => {
    const identity = c.get('identity')
    const accept = c.req.header('Accept') ?? ''
    const isGone = () => c.env.outgoing.destroyed
    const from = { identity, by: partyOf(identity), address: c.get('address'), token: tokenOf(c) }
    return { ...taken, ...from, call, isGone, accept }
  }

  return {
    /** A route that writes. The answer is `{data}`. */
    act<A extends z.ZodType, P extends Raw = None, Q extends Raw = None, B extends Raw = None>(
      route: Route<P, Q, B> & { readonly data: A; readonly status?: 200 | 201 },
      handler: (request: Asked<P, Q, B>) => Said<Json<z.input<A>>>,
    ): void {
      const { status = 200 } = route
      serve(route, { status, content: json(z.object({ data: route.data })) }, (c, taken) =>
        c.get('namedOnce')(c, partyOf(c.get('identity')), async (call) =>
          said(c, data(await handler(requestOf(c, taken, call))), status),
        ),
      )
    },

    /** A route that reads one thing. The answer is `{data}`. */
    read<A extends z.ZodType, P extends Raw = None, Q extends Raw = None>(
      route: Route<P, Q, None> & { readonly method: 'get'; readonly data: A },
      handler: (request: Asked<P, Q, None>) => Said<Json<z.input<A>>>,
    ): void {
      serve(route, { content: json(z.object({ data: route.data })) }, async (c, taken) =>
        said(c, data(await handler(requestOf(c, taken, {})))),
      )
    },

    /** A route that reads a page of `{data: [items], next}`, or `{data: [items]}` and what `besides` says instead. */
    list<A extends z.ZodType, P extends Raw = None, Q extends Raw = None, M extends Raw = typeof PAGED>(
      route: Route<P, Q, None> & { readonly method: 'get'; readonly items: A; readonly besides?: M },
      handler: (request: Asked<P, Q, None>) => Said<Listed<Json<z.input<A>>> & Json<z.input<z.ZodObject<M>>>>,
    ): void {
      const shape = z.object({ data: z.array(route.items), ...(route.besides ?? PAGED) })
      serve(route, { content: json(shape) }, async (c, taken) => {
        const answer = await handler(requestOf(c, taken, {}))
        if (answer instanceof Refusal) return said(c, answer)
        return c.body(await listText(answer), 200, { 'Content-Type': 'application/json' })
      })
    },

    /** A route that reads something that is not, or not always, `{data: …}`. */
    raw<P extends Raw = None, Q extends Raw = None>(
      route: Route<P, Q, None> & { readonly method: 'get'; readonly content: Content },
      handler: (request: Asked<P, Q, None>) => Said<Bytes>,
    ): void {
      serve(route, { content: route.content }, async (c, taken) => {
        const answer = await handler(requestOf(c, taken, {}))
        return answer instanceof Refusal ? said(c, answer) : c.body(answer.body, 200, { ...answer.headers })
      })
    },

    /** A route that needs no token. Its answers are for the asker alone: nobody stores them on the way. */
    openly<A extends z.ZodType, P extends Raw = None, Q extends Raw = None, B extends Raw = None>(
      route: Route<P, Q, B> & { readonly answer: A },
      handler: (visit: Visit<P, Q, B>) => Said<Json<z.input<A>>>,
    ): void {
      serve(route, { content: json(route.answer), open: true }, async (c, taken) => {
        c.header('Cache-Control', 'no-store')
        const answer = await handler({ ...taken, address: c.get('address'), token: tokenOf(c) })
        return said(c, answer as object | Refusal) // of `answer`
      })
    },
  }
}

const tokenOf = (c: Context): string | null => tokenFrom(c.req.header('Authorization'))

const PAGED = { next: z.string().optional() }

interface Answering {
  readonly status?: 200 | 201
  readonly content: Content
  readonly open?: boolean
}
