import { z } from 'zod'
import type { Contract } from '../../delivery/contract.ts'
import { ownEvents } from '../sockets/own-events.ts'
import { exampleOf, type JsonSchema } from './schema-example.ts'
import { SOCKETS } from './sockets-described.ts'

type Published = Pick<Contract, 'name' | 'namespace' | 'wire' | 'toOne' | 'calls'>

/** Of AsyncAPI's dialect of JSON Schema. */
const SCHEMA = { target: 'draft-7', unrepresentable: 'any' } as const

/** A namespace of Socket.IO. In another one than the default each name is published as `<contract>.<name>`. */
interface Channel {
  readonly key: string
  readonly address: string
  readonly title: string
  readonly names: string[]
}

/**
 * Everything that goes over Socket.IO, as AsyncAPI 3.1 (https://www.asyncapi.com/docs/reference/specification/v3.1.0):
 * what clients may emit, and every name that they can ever hear, each with its shape and an example. Made from the very
 * shapes that calls are decoded by and that notices are verified with.
 */
export function asyncApi(contracts: readonly Published[]): object {
  const schemas: Record<string, JsonSchema> = {}
  const messages: Record<string, object> = {}
  const operations: Record<string, object> = {}
  const main: Channel = { key: 'sockets', address: '/', title: 'The default namespace', names: [] }
  const channels = [main]

  /** Shapes with a name of their own are described once. */
  const schemaOf = (shape: unknown, io: 'input' | 'output'): JsonSchema => {
    const made = z.toJSONSchema(shape as z.ZodType, { ...SCHEMA, io }) as JsonSchema // shapes are zod's
    const {
      definitions = {},
      $schema: _,
      id: _id,
      ...schema
    } = JSON.parse(JSON.stringify(made).replaceAll('#/definitions/', '#/components/schemas/'))
    for (const [name, { id: _, ...one }] of Object.entries<JsonSchema>(definitions)) schemas[name] = one
    return schema
  }
  const channelOf = ({ name: key, namespace: address }: Published): Channel => {
    if (address === '/') return main
    const own = { key, address, title: `The namespace of ${key}`, names: [] }
    channels.push(own)
    return own
  }
  const refTo = ({ key }: Channel, name: string) => ({ $ref: `#/channels/${key}/messages/${name}` })
  const add = (channel: Channel, name: string, contract: string, payload: JsonSchema, operation: object): void => {
    const key = channel === main ? name : `${channel.key}.${name}`
    channel.names.push(key)
    const { description } = payload
    const example = exampleOf(payload, schemas)
    messages[key] = {
      ...{ name, title: name, payload, examples: [{ payload: example }] },
      ...(typeof description === 'string' ? { summary: description } : {}),
      tags: [{ name: contract }],
    }
    operations[key] = { channel: { $ref: `#/channels/${channel.key}` }, messages: [refTo(channel, key)], ...operation }
  }
  const pushed = (channel: Channel, contract: string, shapes: Readonly<Record<string, unknown>> = {}): void => {
    for (const [name, shape] of Object.entries(shapes))
      add(channel, name, contract, schemaOf(shape, 'output'), { action: 'send' })
  }

  pushed(main, 'all', ownEvents)
  for (const one of contracts) {
    const { name: contract, wire, toOne, calls } = one
    const channel = channelOf(one)
    pushed(channel, contract, wire)
    pushed(channel, contract, toOne)
    for (const [name, shape] of Object.entries(calls?.data ?? {})) {
      const reply = { channel: { $ref: `#/channels/${channel.key}` }, messages: [refTo(channel, 'ack')] }
      const about = `The ack’s third value names what it was about as \`${calls?.about}\`.`
      add(channel, name, contract, schemaOf(shape, 'input'), { action: 'receive', description: about, reply })
    }
  }
  messages.ack = ACK
  const described = ({ key, address, title, names }: Channel) => {
    const refs = [...names, 'ack'].map((name) => [name, { $ref: `#/components/messages/${name}` }] as const)
    return [key, { address, title, messages: Object.fromEntries(refs) }] as const
  }
  return {
    asyncapi: '3.1.0',
    info: { title: 'Lyceum over Socket.IO', version: '1', description: SOCKETS },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels.map(described)),
    operations,
    components: { schemas, messages },
  }
}

/** Not an event: what Socket.IO hands to the callback of `emit`. */
const ACK = {
  name: 'ack',
  title: 'The answer to a call',
  summary: 'Whether it happened, and if not, why not; with protocol 2, where it stands.',
  payload: {
    type: 'array',
    items: [
      { type: 'boolean', description: 'It happened, and is on disk.' },
      { type: ['string', 'null'], description: 'Why not: a code, a colon, and a sentence.' },
      {
        type: 'object',
        description: 'With protocol 2 only: `{id, seq, pos}` of the event, or `{code}` of the refusal.',
        properties: {
          id: { type: ['string', 'null'] },
          seq: { type: 'integer' },
          pos: { type: ['string', 'null'] },
          code: { type: 'string' },
        },
      },
    ],
    minItems: 2,
    maxItems: 3,
  },
  examples: [{ payload: [true, null] }, { payload: [false, 'chat-closed: this chat has ended'] }],
}
