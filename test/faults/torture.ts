// `npm run torture [-- part …] [rounds]`: the fault tests in their whole size. A number alone means `crash`, which is
// the crash test of `npm test` with so many rounds, 100 by default. `attack:<name>` is one attack of
// `test/attacks/table.ts`, `soak <minutes>` honest people and a few attackers for so long; neither is part of the whole
// run. Exit code 1 when anything was lost, doubled or wrong.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { attackRounds } from '../attacks/attack-rounds.ts'
import { soak } from '../attacks/soak.ts'
import { setup } from '../support/machine-needs.ts'
import { crashRounds } from './crash.ts'
import { badNetwork } from './network.ts'
import { storeRounds } from './store-rounds.ts'

const ROUNDS = 100
const ONE_ATTACK = 'attack:'
const root = join(import.meta.dirname, '../..')

/** In the order of the whole run; each resolves to whether it went well. */
const PARTS: Readonly<Record<string, (rounds: number) => boolean | Promise<boolean>>> = {
  crash,
  sessions: () => whole('faults/attendance-crash', 'faults/lesson-crash'),
  herds: () => whole('faults/lesson-herd', 'faults/attendance-herd', 'faults/claim-race', 'contracts/attendance-races'),
  nodes: () => whole('faults/nodes', 'faults/lost-redis', 'faults/slow-log', 'faults/drain'),
  network: () => network(),
  store: () => store(),
  walls: () => whole('walls/walls', 'walls/forged'),
  frames: () => whole('walls/garbage'),
  files: () => whole('log/files-damage', 'log/embedded-crash'),
  chance: () => whole('presence/model', 'convergence/', 'contracts/support-chat-fuzz'),
}

/** By their names alone: they take long, or measure the machine as well. */
const APART: typeof PARTS = { attack: () => attackRounds(undefined), soak }

const asked = process.argv.slice(2)
const rounds = Number(asked.find((word) => /^\d+$/.test(word)) ?? ROUNDS)
const named = asked.filter((word) => !/^\d+$/.test(word))
const parts: typeof PARTS = { ...PARTS, ...APART }
const partOf = (name: string): ((rounds: number) => boolean | Promise<boolean>) | undefined => {
  if (name.startsWith(ONE_ATTACK)) return () => attackRounds(name.slice(ONE_ATTACK.length))
  return Object.hasOwn(parts, name) ? parts[name] : undefined
}
const unknown = named.filter((name) => partOf(name) === undefined)
if (unknown.length > 0) {
  process.stderr.write(`there is no torture ${unknown.join(', ')}: there are ${Object.keys(parts).join(', ')}\n`)
  process.exit(1)
}
const all = asked.length === 0 ? Object.keys(PARTS) : ['crash']
setup()
for (const part of named.length > 0 ? named : all) if (!(await partOf(part)?.(rounds))) process.exitCode = 1

/** Vitest on these tests, in their whole size. */
function whole(...names: readonly string[]): boolean {
  const ran = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run', ...names.map((name) => `test/${name}`)], {
    cwd: root,
    env: { ...process.env, TORTURE: '1' },
    stdio: 'inherit',
  })
  return ran.status === 0
}

/** 200 clients behind bad lines for five minutes. */
async function network(): Promise<boolean> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const { wrong, ...figures } = await badNetwork({
    clients: 200,
    seconds: Number(process.env.NETWORK_SECONDS ?? 300),
    say,
  })
  say(JSON.stringify(figures))
  for (const what of wrong) say(`  ${what}`)
  return wrong.every((what) => what.endsWith('staff_send twice')) // by clients that do not say where they stand
}

/** 20 rounds of a store that dies or freezes; on a real one where TEST_EVENTSTORE_URL names it. */
async function store(): Promise<boolean> {
  const isSuite = whole('log/eventstore', 'log/agreement')
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const { violations, ...figures } = await storeRounds({ rounds: 20, chats: 50, say })
  say(JSON.stringify(figures))
  for (const what of violations) say(`  ${what}`)
  return isSuite && violations.length === 0
}

/** Kills a loaded server again and again, and tells of each death. */
async function crash(rounds: number): Promise<boolean> {
  const started = performance.now()
  let acked = 0
  const found = await crashRounds(rounds, ({ round, livedMs, events, acked: soFar, violations }) => {
    const verdict = violations.length === 0 ? 'nothing lost, nothing doubled, no gap' : violations.join('; ')
    process.stdout.write(
      `round ${round}: killed after ${livedMs} ms, ${soFar - acked} more acknowledged, ` +
        `${events} events in all: ${verdict}\n`,
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
  return found.length === 0
}
