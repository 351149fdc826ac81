import { all } from '../src/contracts/all.ts'
import { asyncApi } from '../src/gateway/http/asyncapi.ts'
import type { JsonSchema } from '../src/gateway/http/schema-example.ts'

interface Page {
  readonly operations: Readonly<Record<string, { readonly action: 'send' | 'receive' }>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly messages: Readonly<Record<string, { readonly payload: JsonSchema }>>
  }
}

/** `client/src/events.ts`, from the same description that `/api/v1/asyncapi.json` gives. */
export function clientTypes(): string {
  const { operations, components } = asyncApi(all) as Page // made right there
  // What is said in other namespaces than the default one is not the typed client's.
  const named = (action: 'send' | 'receive') =>
    Object.entries(operations).flatMap(([name, operation]) =>
      operation.action === action && !name.includes('.') ? [name] : [],
    )
  const payloadOf = (name: string): JsonSchema => components.messages[name]?.payload ?? {}
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema)}export type ${name} = ${typeOf(schema, '')}\n`,
  )
  const member = (name: string, schema: JsonSchema): string =>
    `${comment(payloadOf(name), '  ')}  readonly ${name}: ${typeOf(schema, '  ')}\n`
  const told = named('send').map((name) => member(name, payloadOf(name)))
  const asked = named('receive').map((name) => member(name, unnamed(payloadOf(name))))
  return [
    '// Written by `npm run client-types` from the shapes of the contracts: do not change it by hand.\n',
    ...schemas,
    `/** Everything that a client can hear, by name. */\nexport interface Events {\n${told.join('')}}\n`,
    '/** Everything that a client may ask, by name; `client_id` is added by the client. */\n' +
      `export interface Calls {\n${asked.join('')}}\n`,
  ].join('\n')
}

/** Content stands in a wrapper, so that the call can be named; the name itself is not the caller's business. */
function unnamed(schema: JsonSchema): JsonSchema {
  const { properties = {}, ...one } = schema.anyOf?.[0] ?? schema
  const { client_id: _, ...rest } = properties
  return { ...one, properties: rest }
}

function typeOf(schema: JsonSchema, indent: string): string {
  const { $ref, type, properties } = schema
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  if (Array.isArray(type)) return type.map((one: string) => typeOf({ ...schema, type: one }, indent)).join(' | ')
  if (schema.anyOf) return [...new Set(schema.anyOf.map((one) => typeOf(one, indent)))].join(' | ')
  switch (type) {
    case 'object':
      return properties ? objectType(properties, schema.required ?? [], indent) : 'Readonly<Record<string, unknown>>'
    case 'array':
      return `readonly ${grouped(typeOf(schema.items ?? {}, indent))}[]`
    case 'integer':
      return 'number'
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type
    default:
      return 'unknown'
  }
}

function objectType(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
  indent: string,
): string {
  const lines = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?'
    return `${indent}  readonly ${name}${mark}: ${typeOf(schema, `${indent}  `)}\n`
  })
  return lines.length === 0 ? 'Readonly<Record<string, never>>' : `{\n${lines.join('')}${indent}}`
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))
const grouped = (type: string): string => (type.includes(' | ') ? `(${type})` : type)

function comment({ description }: JsonSchema, indent = ''): string {
  if (typeof description !== 'string') return ''
  const lines = description.match(/.{1,110}(\s|$)/g) ?? []
  if (lines.length === 1) return `${indent}/** ${description} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line.trim()}\n`).join('')}${indent} */\n`
}
