import type { JsonSchema } from '../../src/gateway/http/schema-example.ts'
import { type Slot, slotOfField, slotsOfPath, validOf } from './kinds.ts'

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: JsonSchema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly security?: readonly unknown[]
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

type Placed = Slot & { readonly in: 'path' | 'query' | 'body'; readonly optional?: boolean; readonly isList?: boolean }

/** One route, as it is described, and where ids go. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly slots: readonly Placed[]
  /** Of a query, what is no id. */
  readonly plain: readonly { readonly name: string; readonly value: string }[]
  /** The body without the ids; undefined: it takes none. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  /** Texts of the body: in the whole matrix a strange id stands in each of them, too. */
  readonly texts: readonly string[]
  /** Open to whoever has no token. */
  readonly isOpen: boolean
}

/** Every route that a server describes. Throws for what the matrix does not know. */
export function routesOf({ paths, components: { schemas } }: OpenApi): readonly Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => routeOf(method, path, described, schemas)),
  )
}

function routeOf(
  method: string,
  path: string,
  { parameters = [], requestBody, security }: Described,
  schemas: Readonly<Record<string, JsonSchema>>,
): Route {
  const last = path.split('/').at(-1) ?? ''
  const query = parameters.filter((one) => one.in === 'query')
  const content = Object.entries(requestBody?.content ?? {})
  for (const [type] of content)
    if (type !== 'application/json') throw new Error(`the matrix does not know how to make a ${type} for ${path}`)
  const named = content[0]?.[1].schema
  const schema = named?.$ref === undefined ? named : schemas[named.$ref.slice(named.$ref.lastIndexOf('/') + 1)]
  const fields = Object.entries(schema?.properties ?? {})
  const walled = (name: string): Slot => slotOfField(name, last)
  const isId = (name: string): boolean => walled(name).kind !== 'plain'
  return {
    ...{ method: method.toUpperCase(), path },
    slots: [
      ...slotsOfPath(path).map((slot) => ({ ...slot, in: 'path' as const })),
      ...query
        .filter(({ name }) => isId(name))
        .map(({ name }) => ({ ...walled(name), in: 'query' as const, optional: true })),
      ...fields
        .filter(([name]) => isId(name))
        .map(([name, { type }]) => ({
          ...{ ...walled(name), in: 'body' as const, isList: type === 'array' },
          optional: !schema?.required?.includes(name),
        })),
    ],
    plain: query
      .filter(({ name }) => !isId(name))
      .map(({ name, schema: one }) => ({ name, value: String(validOf(one, schemas)) })),
    body: schema && (validOf(schema, schemas) as Record<string, unknown>), // of an object
    texts: fields.flatMap(([name, { type, enum: one, format, pattern }]) =>
      type === 'string' && !one && !format && !pattern ? [name] : [],
    ),
    isOpen: security === undefined,
  }
}

/** A request of this route with these ids. */
export function requestOf(
  { method, path, slots, body }: Route,
  values: Readonly<Record<string, string | number | undefined>>,
  more: Readonly<Record<string, string>> = {},
): { readonly method: string; readonly path: string; readonly body?: unknown } {
  const query = new URLSearchParams(more)
  const filled = slots.filter((slot) => slot.in === 'body' && values[slot.name] !== undefined)
  for (const slot of slots)
    if (slot.in === 'query' && values[slot.name] !== undefined) query.set(slot.name, String(values[slot.name]))
  const at = path.replace(/\{(.+?)\}/g, (_, name: string) => String(values[name]))
  const ids = filled.map(({ name, isList }) => [name, isList ? [values[name]] : values[name]])
  return {
    ...{ method, path: query.size === 0 ? at : `${at}?${query}` },
    ...(body === undefined ? {} : { body: { ...body, ...Object.fromEntries(ids) } }),
  }
}
