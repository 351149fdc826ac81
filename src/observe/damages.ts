/** Structurally a StreamDamaged of the log. */
interface Damage {
  readonly stream: string
  readonly revision: number
  readonly why: string
  readonly remedy: string
}

/** Where lines go. Structurally a pino logger. */
interface Lines {
  error(fields: object, message: string): void
}

const MAX_TOLD = 10_000

/** One line for each stream that is damaged, however often it is met, by whom, and of how many of its events. */
export function damages(lines: Lines): (damage: Damage) => void {
  const told = new Set<string>()
  return ({ stream, revision, why, remedy }) => {
    if (told.has(stream)) return
    told.add(stream)
    if (told.size > MAX_TOLD) told.delete(told.values().next().value ?? '')
    lines.error(
      { stream, revision, why, remedy },
      'a stream is damaged: what it is about can be looked at, not changed',
    )
  }
}
