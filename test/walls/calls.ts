import type { JsonSchema } from '../../src/gateway/http/schema-example.ts'
import { type Slot, slotOfField, validOf } from './kinds.ts'

export interface AsyncApi {
  readonly channels: Readonly<Record<string, { readonly address: string }>>
  readonly operations: Readonly<
    Record<string, { readonly action: 'send' | 'receive'; readonly channel: { readonly $ref: string } }>
  >
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: JsonSchema }>>
  }
}

/** An event that clients may emit. */
export interface Call {
  readonly name: string
  readonly namespace: string
  readonly slots: readonly (Slot & { readonly optional: boolean })[]
  /** Its data without the ids. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Every event that a server describes. Throws for what the matrix does not know. */
export function callsOf({ channels, operations, components: { schemas, messages } }: AsyncApi): readonly Call[] {
  return Object.entries(operations).flatMap(([key, { action, channel }]) => {
    const message = messages[key]
    if (action !== 'receive' || !message) return []
    const { name, payload } = message
    const slots = Object.keys(payload.properties ?? {}).map((field) => ({
      ...slotOfField(field, name),
      optional: !payload.required?.includes(field),
    }))
    const address = channels[channel.$ref.slice(channel.$ref.lastIndexOf('/') + 1)]?.address
    if (address === undefined) throw new Error(`${key} is of no channel`)
    return [
      {
        ...{ name, namespace: address, slots: slots.filter(({ kind }) => kind !== 'plain') },
        data: validOf(payload, schemas) as Record<string, unknown>, // calls take an object
      },
    ]
  })
}
