/** As much of a chat as is told at once, as JSON. The server's `visitor_init` has the same bound. */
const MAX_CHARACTERS = 256 * 1024

/** The newest messages that are told together; at least one. */
export function newest<M extends { readonly content: unknown }>(messages: readonly M[]): readonly M[] {
  let characters = 0
  const from = messages.findLastIndex(({ content }) => {
    characters += JSON.stringify(content).length
    return characters > MAX_CHARACTERS
  })
  return messages.slice(Math.min(from + 1, messages.length - 1))
}
