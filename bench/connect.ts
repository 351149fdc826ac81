import { lessonOf } from '../test/support/lessons.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median } from './figures.ts'
import { cpuMs, quiet } from './process-cost.ts'
import { startProgram } from './processes.ts'
import { openWire, type Wire } from './wire.ts'

const CLASS = 1_000
const AT_ONCE = 50
/** What is measured is a server that has run for a while. */
const WARM_UP_ROUNDS = 2
const ROUNDS = 7
const MOST = 3
const ORG = 'bench'

/** A server that a class comes to. */
interface Side {
  readonly url: string
  readonly pid: number
}

/** How one of the class comes. */
interface Coming {
  readonly query: Readonly<Record<string, string>>
  readonly auth?: Readonly<Record<string, string>>
}
type Who = (n: number, round: number) => Promise<Coming>

/** What it cost the server. */
interface Cost {
  readonly cpuMs: number
  readonly ms: number
}

/**
 * What it costs a server when a class of 1,000 comes, beside a bare Socket.IO server with the same clients, all in
 * turns: ratios are of one round, values are medians of rounds. First participants of different kinds, each time with
 * nothing of them in memory: what the server knows of them it reads. Then a class in a live lesson that drops all at
 * once and returns within the grace; dropping and returning are one price, on both sides.
 */
export async function connecting(): Promise<readonly Figure[]> {
  const program = startProgram('bare.ts')
  const { url } = (await program.said()) as { url: string }
  const bare: Side = { url, pid: program.pid }
  try {
    return [...(await arrivals(bare)), ...(await returns(bare))]
  } finally {
    await program.end()
  }
}

const student = async (id: string): Promise<Coming> => ({
  query: {},
  auth: { token: await tokenFor('student', id, ORG) },
})

const KINDS: readonly (readonly [string, Who])[] = [
  ['without a token', async () => ({ query: { role: 'student' } })],
  ['known students', (n) => student(`known-${n}`)],
  ['first-ever students', (n, round) => student(`new-${round}-${n}`)],
]

async function arrivals(bare: Side): Promise<readonly Figure[]> {
  const server = await startServer({ env: { ...NO_LIMITS, DISCONNECT_GRACE_MS: '0', ROOM_IDLE_MS: '500' } })
  try {
    const costs = KINDS.map(() => ({ ours: [] as Cost[], theirs: [] as Cost[] }))
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const [kind, [, who]] of KINDS.entries()) {
        const theirs = await visit(bare, who, round)
        const ours = await visit(server, who, round)
        if (round < WARM_UP_ROUNDS) continue
        costs[kind]?.theirs.push(theirs)
        costs[kind]?.ours.push(ours)
      }
    }
    return KINDS.flatMap(([name], kind) => {
      const { ours = [], theirs = [] } = costs[kind] ?? {}
      return [ratio(`CPU per connect, ${name}`, ours, theirs), seconds(`${CLASS} connected, ${name}`, ours)]
    })
  } finally {
    await server.stop()
  }
}

async function returns(bare: Side): Promise<readonly Figure[]> {
  const server = await startServer({ env: { ...NO_LIMITS, DISCONNECT_GRACE_MS: '60000' } })
  try {
    const { id } = await lessonOf(server.url, await tokenFor('teacher', 'tea', ORG))
    const who: Who = async (n) => ({ ...(await student(`s${n}`)), query: { lesson_id: id } })
    const class_ = await Promise.all(Array.from({ length: CLASS }, (_, n) => who(n, 0)))
    const there = await come(bare, class_)
    const here = await come(server, class_)
    const ours: Cost[] = []
    const theirs: Cost[] = []
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const theirCost = await priceOf(bare, () => dropAndReturn(bare, there, class_))
      const ourCost = await priceOf(server, () => dropAndReturn(server, here, class_))
      if (round < WARM_UP_ROUNDS) continue
      theirs.push(theirCost)
      ours.push(ourCost)
    }
    leave(there)
    leave(here)
    return [
      ratio('CPU per drop and return, in a live lesson', ours, theirs),
      seconds(`${CLASS} back in the lesson`, ours),
    ]
  } finally {
    await server.stop()
  }
}

/** The class comes; that it goes again is not part of the price. */
async function visit(side: Side, who: Who, round: number): Promise<Cost> {
  const class_ = await Promise.all(Array.from({ length: CLASS }, (_, n) => who(n, round)))
  let open: Wire[] = []
  const cost = await priceOf(side, async () => {
    open = await come(side, class_)
  })
  leave(open)
  await quiet(side)
  return cost
}

async function dropAndReturn(side: Side, open: Wire[], class_: readonly Coming[]): Promise<void> {
  leave(open)
  open.splice(0, open.length, ...(await come(side, class_)))
}

async function come({ url }: Side, class_: readonly Coming[]): Promise<Wire[]> {
  const open: Wire[] = []
  const left = class_.values()
  const worker = async (): Promise<void> => {
    for (const coming of left) open.push(await openWire({ url, ...coming }, () => {}))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return open
}

function leave(open: readonly Wire[]): void {
  for (const wire of open) wire.close()
}

async function priceOf(side: Side, work: () => Promise<void>): Promise<Cost> {
  await quiet(side)
  const before = cpuMs(side.pid)
  const started = performance.now()
  await work()
  const ms = performance.now() - started
  await quiet(side)
  return { cpuMs: cpuMs(side.pid) - before, ms }
}

function ratio(name: string, ours: readonly Cost[], theirs: readonly Cost[]): Figure {
  const ratios = ours.map(({ cpuMs: cost }, round) => cost / (theirs[round]?.cpuMs ?? Number.NaN))
  const us = (costs: readonly Cost[]) => Math.round((median(costs.map(({ cpuMs: cost }) => cost)) * 1_000) / CLASS)
  const spread = `rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  return {
    name,
    value: median(ratios),
    unit: '×',
    target: atMost(MOST),
    note: `${us(ours)} against ${us(theirs)} µs; ${spread}`,
  }
}

const seconds = (name: string, costs: readonly Cost[]): Figure => ({
  name,
  value: median(costs.map(({ ms }) => ms)) / 1_000,
  unit: 's',
  target: atMost(5),
})
