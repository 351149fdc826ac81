import type { Outcome } from './one-attack.ts'

const HEAD = [
  '| attack | by | p50 / p99 ms before | beside it | after | RSS MB before / peak / after ' +
    '| cut off or refused | back in | held |',
  '|---|---|---|---|---|---|---|---|---|',
]

/** The figures of all attacks as a table in Markdown. */
export const table = (outcomes: readonly Outcome[]): string =>
  [...HEAD, ...outcomes.map(row), '', ...outcomes.flatMap(reasons)].join('\n')

function row({ attack, latency, rssMb, losses, recoveryS, failures, died }: Outcome): string {
  const pair = (one: 'before' | 'during' | 'after'): string => `${round(latency[one].p50)} / ${round(latency[one].p99)}`
  const cells = [
    `${attack.name}: ${attack.what}`,
    attack.attackers,
    ...[pair('before'), pair('during'), pair('after')],
    `${rssMb.before} / ${rssMb.peak} / ${rssMb.after}`,
    losses === null ? '?' : `${losses.cutOff} of ${losses.opened}`,
    recoveryS === null ? '-' : `${recoveryS} s`,
    died ? 'died' : failures.length === 0 ? 'yes' : 'no',
  ]
  return `| ${cells.join(' | ')} |`
}

/** Why each that was not withstood was not. */
const reasons = ({ attack, failures }: Outcome): readonly string[] =>
  failures.map((failure) => `- ${attack.name}: ${failure}`)

const round = (ms: number): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)))
