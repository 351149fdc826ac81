import { eventSchemas } from '../../machines/catalogue.ts'
import type { EventSchema } from '../../machines/kernel.ts'
import { type Codec, codec } from '../../src/log/codec.ts'

/** Schemas of a release that records these types of events in the version after ours, and all others as we do. */
export function newerSchemas(...types: readonly string[]): Readonly<Record<string, EventSchema>> {
  const raised = types.map((type) => {
    const schema = eventSchemas[type]
    if (!schema) throw new Error(`there is no event ${type}`)
    return [type, { ...schema, version: schema.version + 1 }] as const
  })
  return { ...eventSchemas, ...Object.fromEntries(raised) }
}

/** Of a log that such a release writes and this one reads. */
export const newerCodec = (...types: readonly string[]): Codec => ({
  encode: codec(newerSchemas(...types)).encode,
  decode: codec(eventSchemas).decode,
})
