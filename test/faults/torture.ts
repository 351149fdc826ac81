// `npm run torture [rounds]`: the crash test of `npm test`, 100 rounds of it. Exit code 1 when anything was lost,
// doubled or wrong.
import { crashRounds } from './crash.ts'

const rounds = Number(process.argv[2] ?? 100)
const started = performance.now()
let acked = 0
const found = await crashRounds(rounds, ({ round, livedMs, events, acked: soFar, violations }) => {
  const verdict = violations.length === 0 ? 'nothing lost, nothing doubled, no gap' : violations.join('; ')
  process.stdout.write(
    `round ${round}: killed after ${livedMs} ms, ${soFar - acked} more acknowledged, ${events} events in all: ${verdict}\n`,
  )
  acked = soFar
})
const seconds = Math.round((performance.now() - started) / 1000)
process.stdout.write(`\n${rounds} rounds in ${seconds} s, ${acked} acknowledged calls: `)
process.stdout.write(
  found.length === 0
    ? 'nothing lost, nothing doubled, no gap, nobody lost their chat\n'
    : `${found.length} violations\n`,
)
for (const what of found) process.stdout.write(`  ${what}\n`)
process.exitCode = found.length === 0 ? 0 : 1
