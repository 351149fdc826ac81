import { slice } from '../../slices.ts'
import { streamed } from './streamed.ts'

/** A list of so many objects, or fewer, is written in less than a millisecond or two. */
const SHORT = 200
/** As many are written before others have their turn, if they have not had it. */
const STEP = 20

/** An object whose JSON may be long, because one of its fields is a list, or that has such an object as `data`. */
type Holder = Readonly<Record<string, unknown>>

/**
 * The JSON of an answer whose list is long, written a slice at a time while it is read; null for all others, which are
 * written in one go. Long is a list at `data`, or in a field of the object at `data`.
 */
export function longJson(answer: object): ReadableStream<Uint8Array> | null {
  const { data } = answer as { readonly data?: unknown }
  if (isLong(data)) return streamed(listIn(answer as Holder, 'data', data))
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null
  const field = Object.entries(data).find(([, value]) => isLong(value))
  return field ? streamed(around(listIn(data as Holder, field[0], field[1] as readonly unknown[]))) : null
}

const isLong = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > SHORT

async function* around(inner: AsyncGenerator<string>): AsyncGenerator<string> {
  yield '{"data":'
  yield* inner
  yield '}'
}

/** `holder` as JSON, of which `list` is the field `name`. */
async function* listIn(holder: Holder, name: string, list: readonly unknown[]): AsyncGenerator<string> {
  const fields = Object.keys(holder).filter((key) => holder[key] !== undefined)
  for (const [nth, key] of fields.entries()) {
    yield `${nth === 0 ? '{' : ','}${JSON.stringify(key)}:`
    if (key !== name) yield JSON.stringify(holder[key])
    else yield* listed(list)
  }
  yield '}'
}

async function* listed(list: readonly unknown[]): AsyncGenerator<string> {
  for (let from = 0; from < list.length; from += STEP) {
    const items = list.slice(from, from + STEP).map((item) => JSON.stringify(item))
    yield `${from === 0 ? '[' : ','}${items.join()}`
    await slice()
  }
  yield ']'
}
