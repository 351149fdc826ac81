import type { StreamDamaged } from './damaged.ts'

/** Who is told what an operator of the log's files should know. Each thing is said once. */
export interface LogNotes {
  /** Events of one stream cannot be had. */
  onDamage(damage: StreamDamaged): void
  /** A sentence about the files. `error`: something is lost, or may be. */
  note(level: 'info' | 'warn' | 'error', sentence: string): void
}

const MAX_SAID = 10_000

/** Lets everything through once. */
export function onceEach({ onDamage, note }: LogNotes): LogNotes {
  const said = new Set<string>()
  const isNew = (text: string): boolean => {
    if (said.has(text)) return false
    said.add(text)
    if (said.size > MAX_SAID) said.delete(said.values().next().value ?? '')
    return true
  }
  return {
    onDamage(damage) {
      if (isNew(damage.message)) onDamage(damage)
    },
    note(level, sentence) {
      if (isNew(sentence)) note(level, sentence)
    },
  }
}
