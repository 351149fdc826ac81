import { type Outcome, runAttack } from './one-attack.ts'
import { table } from './report.ts'
import { ATTACKS } from './table.ts'

/** Runs one attack by its name, or all of them, and prints what they did. Resolves to whether all were withstood. */
export async function attackRounds(name: string | undefined): Promise<boolean> {
  const attacks = ATTACKS.filter((one) => name === undefined || one.name === name)
  if (attacks.length === 0) {
    process.stderr.write(`there is no attack ${name}: there are ${ATTACKS.map((one) => one.name).join(', ')}\n`)
    return false
  }
  const outcomes: Outcome[] = []
  for (const attack of attacks) {
    const outcome = await runAttack(attack)
    outcomes.push(outcome)
    const { failures, acked } = outcome
    process.stderr.write(`${attack.name}: ${failures.length === 0 ? `held, ${acked} acked` : failures.join('; ')}\n`)
  }
  const held = outcomes.filter(({ failures }) => failures.length === 0).length
  process.stdout.write(`${table(outcomes)}\n\n${held} of ${outcomes.length} attacks were withstood\n`)
  return held === outcomes.length
}
