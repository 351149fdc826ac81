import { createRoute, type RouteConfig, z } from '@hono/zod-openapi'
import { FAILURES } from './failures.ts'
import type { Fields } from './fields.ts'

/** What a route takes, and how it is described. */
export interface Route<P extends z.ZodRawShape, Q extends z.ZodRawShape, B extends z.ZodRawShape> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With its parameters in braces, as OpenAPI writes them. */
  readonly path: string
  readonly summary: string
  /** What the answer is. */
  readonly description: string
  /** Those of the path. */
  readonly params?: P
  readonly query?: Q
  /** An empty body counts as `{}`. Not for `get`, whose body is not read. */
  readonly body?: Fields<B>
  /** False where all of the body may be left out. */
  readonly bodyRequired?: boolean
  /**
   * It may have to read, fold or write very much: few of them are answered at once (`heavy-answers.ts`), and each in
   * slices.
   */
  readonly heavy?: true
}

// biome-ignore lint/suspicious/noExplicitAny: any shapes: whoever describes a route does not look into them
export type AnyRoute = Route<any, any, any>

/** What the answer holds, by content type. */
export type Content = Readonly<Record<string, { readonly schema: z.ZodType }>>

export const json = (schema: z.ZodType): Content => ({ 'application/json': { schema } })

/** The route's entry in `openapi.json`; `open`: it needs no token. */
export function documented(route: AnyRoute, status: 200 | 201, content: Content, open: boolean): RouteConfig {
  const { method, path, summary, description, params, query, body, bodyRequired = true, heavy } = route
  const request = {
    ...(params === undefined ? {} : { params: z.object(params) }),
    ...(query === undefined ? {} : { query: z.object(query) }),
    ...(body === undefined ? {} : { body: { required: bodyRequired, content: json(body) } }),
  }
  return createRoute({
    method,
    path,
    ...(open ? {} : { security: [{ bearer: [] }] }),
    summary,
    ...(heavy ? { description: HEAVY_DESCRIBED } : {}),
    ...(Object.keys(request).length === 0 ? {} : { request }),
    responses: { ...FAILURES, [status]: { description, content } },
  })
}

const HEAVY_DESCRIBED =
  'A heavy answer: one at a time for each person, and few at once for all. Who has waited too long gets 429.'
