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

/** One line for each damage, however often it is met, and by whom. */
export function damages(lines: Lines): (damage: Damage) => void {
  const told = new Set<string>()
  return ({ stream, revision, why, remedy }) => {
    const its = `${stream} ${why}` // where it is met depends on who reads
    if (told.has(its)) return
    told.add(its)
    if (told.size > MAX_TOLD) told.delete(told.values().next().value ?? '')
    lines.error(
      { stream, revision, why, remedy },
      'a stream is damaged: what it is about can be looked at, not changed',
    )
  }
}
