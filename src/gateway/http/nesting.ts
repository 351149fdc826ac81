/** Content of messages may be 32 levels deep; what stands around it has a few. */
const MAX_LEVELS = 64

const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]]

/**
 * Whether a JSON text opens more than 64 objects and arrays within each other. Looked at before anything is made of
 * it: who walks through a value step by step, as Node's own `JSON.parse` with a reviver does, runs out of stack.
 */
export function nestsTooDeep(json: string): boolean {
  let levels = 0
  let inText = false
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (inText) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) inText = false
    } else if (code === QUOTE) inText = true
    else if (OPEN.includes(code)) {
      if (++levels > MAX_LEVELS) return true
    } else if (CLOSE.includes(code)) levels--
  }
  return false
}
