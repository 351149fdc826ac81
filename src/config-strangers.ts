import { VARIABLES } from './config-variables.ts'
import { edits } from './edits.ts'

/**
 * One sentence for each LYCEUM_… that is none of ours. A misspelt one would otherwise be ignored in silence, and with
 * it what its author wanted; but it stops nothing, because what runs Lyceum may keep variables of its own under that
 * name.
 */
export function strangers(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = Object.keys(VARIABLES)
  return Object.keys(env)
    .filter((name) => name.startsWith('LYCEUM_') && !known.includes(name))
    .map((name) => {
      const nearest = known
        .map((other) => ({ other, distance: distanceOf(name, other) }))
        .sort((a, b) => a.distance - b.distance)[0]
      const hint =
        nearest && nearest.distance <= 3
          ? `, did you mean ${nearest.other}?`
          : ': npm start -- --help lists all variables'
      return `${name} is not a variable of Lyceum and is ignored${hint}`
    })
}

/** With and without our prefix. */
const distanceOf = (name: string, other: string): number =>
  Math.min(edits(name, other), edits(name.slice('LYCEUM_'.length), other))
