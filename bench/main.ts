import { setup } from '../test/support/machine-needs.ts'
import { againstRelay } from './against-relay.ts'
import { attendance } from './attendance.ts'
import { connecting } from './connect.ts'
import { eio3 } from './eio3.ts'
import { eventstore } from './eventstore.ts'
import { eventstoreRebuild } from './eventstore-rebuild.ts'
import { fairAnswers } from './fair.ts'
import { type Figure, isMet, lineOf } from './figures.ts'
import { memory } from './memory.ts'
import { million } from './million.ts'
import { projects, streams, uploads } from './projects.ts'
import { restart } from './restart.ts'
import { resume } from './resume.ts'
import { soak } from './soak.ts'
import { staffInit } from './staff-init.ts'
import { videos } from './videos.ts'
import { wake } from './wake.ts'

/** What can be measured, in the order of the whole run. */
const PARTS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  cpu: againstRelay,
  eio3,
  eventstore,
  'eventstore-rebuild': eventstoreRebuild,
  connect: connecting,
  'staff-init': staffInit,
  wake,
  memory,
  soak,
  million,
  resume,
  restart,
  attendance,
  videos,
  projects,
  fair: fairAnswers,
  uploads,
  streams,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(', ')}: there are ${Object.keys(PARTS).join(', ')}\n`)
  process.exit(1)
}
if (asked.length === 0 || asked.includes('million') || asked.includes('eventstore')) setup()
const missed: string[] = []
for (const [part, measure] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(part)) continue
  const started = performance.now()
  const figures = await measure()
  process.stdout.write(`${part} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`)
  for (const figure of figures) process.stdout.write(`${lineOf(figure)}\n`)
  missed.push(...figures.filter((figure) => !isMet(figure)).map(({ name }) => `${part}: ${name}`))
}
process.stdout.write(
  missed.length === 0
    ? 'all targets met\n'
    : `${missed.length} missed:\n${missed.map((name) => `  ${name}\n`).join('')}`,
)
