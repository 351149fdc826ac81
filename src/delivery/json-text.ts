/** Data that is JSON text already, and goes onto the wire as it is. `T` is what it says. */
export interface JsonText<T> {
  readonly [KIND]: T | true
  readonly text: string
}

const KIND = Symbol('JSON text')

export const jsonText = <T>(text: string): JsonText<T> => ({ [KIND]: true, text })

export const isJsonText = (data: unknown): data is JsonText<unknown> =>
  typeof data === 'object' && data !== null && KIND in data

/**
 * Texts of objects that are never changed, only replaced: each is written once. Costs the text's memory as long as the
 * object lives.
 */
export type Texts = WeakMap<object, string>

export function remembered(texts: Texts, object: object, write: () => string): string {
  let text = texts.get(object)
  if (text === undefined) {
    text = write()
    texts.set(object, text)
  }
  return text
}
