/** So many messages are told at once, and so much of their contents as JSON. The server has the same bounds. */
interface Bounds {
  readonly messages: number
  readonly characters: number
}

/** Of the chat that a visitor has open. */
const TOLD: Bounds = { messages: 1_000, characters: 256 * 1024 }
/** Of a chat in the queue. */
const QUEUED: Bounds = { messages: 100, characters: 32 * 1024 }

/** The newest messages that are told together; at least one. */
export const newest = <M extends { readonly content: unknown }>(messages: readonly M[]): readonly M[] =>
  end(messages, TOLD, ({ content }) => content)

/** The newest contents of a chat in the queue; at least one. */
export const newestQueued = <C>(contents: readonly C[]): readonly C[] => end(contents, QUEUED, (content) => content)

function end<T>(all: readonly T[], bounds: Bounds, contentOf: (one: T) => unknown): readonly T[] {
  let characters = 0
  let from = all.length
  for (const one of all.toReversed()) {
    characters += JSON.stringify(contentOf(one)).length
    if (from < all.length && (characters > bounds.characters || all.length - from === bounds.messages)) break
    from--
  }
  return all.slice(from)
}
