/** The server said no; `code` never changes, `message` is a sentence for people. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Refused for the moment: the same call may be granted a little later. */
const PASSING: ReadonlySet<string> = new Set([
  'busy',
  'draining',
  'internal',
  'overloaded',
  'rate-limited',
  'too-many-requests',
  'unavailable',
])

export const isPassing = (code: string): boolean => PASSING.has(code)
