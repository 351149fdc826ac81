import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import { flawsIn } from '../flaws.ts'
import { type Fields, fields, queryOf } from './fields.ts'
import type { HttpEnv } from './middleware.ts'
import { nestsTooDeep } from './nesting.ts'
import type { AnyRoute } from './route.ts'

/** What a request brought, checked and converted. */
export interface Taken<P extends z.ZodRawShape, Q extends z.ZodRawShape, B extends z.ZodRawShape> {
  readonly params: z.output<z.ZodObject<P>>
  readonly query: z.output<Fields<Q>>
  readonly body: z.output<Fields<B>>
}

/** Of a route whose shapes are not looked at. */
// biome-ignore lint/suspicious/noExplicitAny: what the route's own shapes gave
export type AnyTaken = Readonly<Record<'params' | 'query' | 'body', any>>

/** A message's content may be 64 KiB; names around it, and its escapes, take some more. */
const BODY_BYTES = 256 * 1024
/** Where there is nothing to say, or a stranger says it: a password of 512 characters, all of them escaped, fits. */
const SMALL_BODY_BYTES = 16 * 1024

/**
 * Checks what a request brings against what its route takes: parameters of the path, query and body, all at once. Only
 * here is a body read. Refusals: `bad-request` with everything that is wrong, `malformed-json`, and those of `Bodies`.
 */
export function taker(route: AnyRoute, open: boolean): (c: Context<HttpEnv>) => Promise<AnyTaken | Refusal> {
  const params = fields(route.params ?? {})
  const query = queryOf(route.query ?? {})
  const body: Fields = route.body ?? fields({})
  const mostBytes = open || route.body === undefined ? SMALL_BODY_BYTES : BODY_BYTES
  return async (c) => {
    const sent = route.method === 'get' ? {} : await bodyIn(c, mostBytes)
    if (sent instanceof Refusal) return sent
    const [values, repeated] = queryIn(c.req.url)
    const read = [params.safeParse(c.req.param()), query.safeParse(values), body.safeParse(sent)]
    const flaws = read.flatMap(({ error }) => (error === undefined ? [] : [flawsIn(error)]))
    const all = [...repeated.map((name) => `${name}: sent more than once`), ...flaws]
    if (all.length > 0) return refuse('bad-request', { why: all.join('; ') })
    const [inPath, inQuery, inBody] = read.map(({ data }) => data)
    return { params: inPath, query: inQuery, body: inBody } as AnyTaken // none has an error
  }
}

/**
 * The parameters of a query, and the known or unknown ones that stand in it twice: which one counts, nobody can tell.
 */
function queryIn(url: string): [values: object, repeated: readonly string[]] {
  const values: Record<string, string> = Object.create(null) // a parameter may be called __proto__
  const repeated = new Set<string>()
  if (!url.includes('?')) return [values, []]
  for (const [name, value] of new URL(url).searchParams) {
    if (name in values) repeated.add(name.slice(0, 64))
    values[name] = value
  }
  return [values, [...repeated].slice(0, 3)]
}

async function bodyIn(c: Context<HttpEnv>, mostBytes: number): Promise<object | Refusal> {
  const text = await c.get('readBody')(mostBytes)
  if (text instanceof Refusal) return text
  c.set('body', text)
  if (text === '') return {}
  const type = c.req.header('Content-Type') ?? 'none'
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type))
    return refuse('bad-request', { why: `Content-Type must be application/json, got ${type.slice(0, 60)}` })
  if (nestsTooDeep(text)) return refuse('bad-request', { why: 'the body is nested deeper than 64 levels' })
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
    return refuse('bad-request', { why: 'the body must be a JSON object' })
  } catch (error) {
    return refuse('malformed-json', { why: (error as Error).message }) // JSON.parse throws SyntaxError only
  }
}
