import type { Category, EventOf } from './catalogue.ts'
import type { Recorded } from './kernel.ts'

/** The name of an entity's stream, `<category>-<id>`. A category has no "-", so the name can be taken apart again. */
export const streamName = (category: Category, id: string): string => `${category}-${id}`

/** The id in a stream's name; null when the stream is not of this category. */
export const idIn = (category: Category, stream: string): string | null =>
  stream.startsWith(category) && stream[category.length] === '-' ? stream.slice(category.length + 1) : null

/** The category in a stream's name. */
export const categoryIn = (stream: string): string => stream.slice(0, Math.max(0, stream.indexOf('-')))

/** True when the event is one that an entity of this category has recorded. */
export const isOf = <K extends Category>(category: K, recorded: Recorded): recorded is Recorded<EventOf<K>> =>
  idIn(category, recorded.stream) !== null

/** A person within an organisation. Their entities `person` and `presence` have the id `<org>.<id>`. */
export interface PersonRef {
  readonly org: string
  readonly id: string
}

/** Neither an organisation's id nor a person's has a dot, so the name can be taken apart again. */
export const personName = ({ org, id }: PersonRef): string => `${org}.${id}`

export function personIn(name: string): PersonRef {
  const dot = name.indexOf('.')
  return { org: name.slice(0, Math.max(0, dot)), id: name.slice(dot + 1) }
}
