import type { Event, EventSchema } from '../../machines/kernel.ts'
import { InvalidAppend, type Meta, type Proposed, UnreadableEvent } from './log.ts'

/** An event as an adapter stores it: the type, and two JSON objects as text. */
export interface Encoded {
  readonly type: string
  readonly data: string
  readonly meta: string
}

export interface Codec {
  /** Throws InvalidAppend for what JSON cannot hold. */
  encode(proposed: Proposed): Encoded
  /** `data` and `meta` as JSON.parse gave them. Throws UnreadableEvent when a newer release wrote them. */
  decode(type: string, data: unknown, meta: unknown): { readonly event: Event; readonly meta: Meta }
}

interface StoredMeta {
  readonly $correlationId: string
  readonly $causationId?: string
  readonly by: string
  readonly client?: Meta['client']
  /** Version of the data's shape; absent = 1. */
  readonly v?: number
}

const PLAIN: EventSchema = { version: 1, personal: [], upcasts: {} }

/** `schemas` by event type: the catalogue's. */
export function codec(schemas: Readonly<Record<string, EventSchema>>): Codec {
  const schemaOf = (type: string): EventSchema => (Object.hasOwn(schemas, type) ? (schemas[type] ?? PLAIN) : PLAIN)

  return {
    encode({ event, meta }) {
      const schema = schemaOf(event.type)
      const { type, ...data } = event as Event & Record<string, unknown>
      let stored: Record<string, unknown> = data
      if (schema.personal.length > 0) {
        const personal: Record<string, unknown> = {}
        stored = { ...data, personal }
        for (const field of schema.personal) {
          if (!(field in data)) continue
          personal[field] = data[field]
          delete stored[field]
        }
      }
      try {
        return { type, data: JSON.stringify(stored), meta: JSON.stringify(storedMeta(meta, schema.version)) }
      } catch (error) {
        throw new InvalidAppend(`the data of ${type} must be JSON (no BigInt, no cycles): ${(error as Error).message}`)
      }
    },

    decode(type, data, meta) {
      const schema = schemaOf(type)
      const { v = 1, $correlationId, $causationId, by, client } = meta as StoredMeta
      // Of a type that nobody knows here there is no version to compare: whoever must take the event says so.
      if (v > schema.version && schema !== PLAIN) throw new UnreadableEvent(tooNew(type, v, schema.version))
      const stored = data as Record<string, unknown>
      const whole = schema.personal.length > 0 ? { type, ...together(stored) } : { type, ...stored }
      return {
        event: v < schema.version ? { ...upcast(schema, type, v, whole), type } : whole,
        meta:
          $causationId === undefined && client === undefined
            ? { correlationId: $correlationId, by }
            : {
                correlationId: $correlationId,
                by,
                ...($causationId === undefined ? {} : { causationId: $causationId }),
                ...(client === undefined ? {} : { client }),
              },
      }
    },
  }
}

const tooNew = (type: string, found: number, known: number): string =>
  `it is ${type} version ${found}, and this release of Lyceum knows ${type} up to version ${known}. A newer release ` +
  'recorded it: start that release again, or a later one'

function together({
  personal,
  ...plain
}: Record<string, unknown> & { personal?: Record<string, unknown> }): Record<string, unknown> {
  return personal === undefined ? plain : Object.assign(plain, personal)
}

/** The fields as the version of today has them. */
function upcast(
  schema: EventSchema,
  type: string,
  from: number,
  { type: _, ...data }: Event,
): Readonly<Record<string, unknown>> {
  let fields: Readonly<Record<string, unknown>> = data
  for (let version = from; version < schema.version; version++) {
    const step = schema.upcasts[version]
    if (!step)
      throw new Error(
        `${type} version ${version} is in the log, but the catalogue has no upcast from it to ${version + 1}`,
      )
    fields = step(fields)
  }
  return fields
}

function storedMeta(meta: Meta, version: number): StoredMeta {
  return {
    $correlationId: meta.correlationId,
    by: meta.by,
    ...(meta.causationId === undefined ? {} : { $causationId: meta.causationId }),
    ...(meta.client === undefined ? {} : { client: meta.client }),
    ...(version === 1 ? {} : { v: version }),
  }
}
