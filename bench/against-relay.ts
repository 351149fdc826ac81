import { type ServerOptions, startServer } from '../test/support/server.ts'
import { atMost, type Figure, median } from './figures.ts'
import type { LoadOrder, LoadReport } from './load.ts'
import { cpuMs } from './process-cost.ts'
import { type Load, startLoad, startProgram } from './processes.ts'

const VISITORS = 200
const AGENTS = 20
const ROUNDS = 5
const ROUND_SECONDS = 2
/** A bench is one address and few people. */
export const NO_LIMITS = { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000' }

export interface Side {
  readonly pid: number
  readonly load: Load
}

/** A round with what it cost the server. */
export interface Round extends LoadReport {
  readonly perSecond: number
  /** Microseconds of server CPU per message that was acknowledged and delivered to both. */
  readonly cpuUs: number
}

/**
 * Lyceum beside the bare relay: both run all the time, with the same clients, and take turns, so that what else the
 * machine does meets both alike. Medians over the rounds. First the peak of each (every visitor has one message under
 * way), then the same rate for both, half of what Lyceum does at its peak, then half of each one's own peak.
 */
export async function againstRelay(options: ServerOptions = {}): Promise<readonly Figure[]> {
  const relayProgram = startProgram('relay.ts')
  const { url } = (await relayProgram.said()) as { url: string }
  const server = await startServer({ ...options, env: { ...NO_LIMITS, ...options.env } })
  const relay: Side = { pid: relayProgram.pid, load: startLoad() }
  const lyceum: Side = { pid: server.pid, load: startLoad() }
  try {
    for (const [side, its] of [
      [relay, url],
      [lyceum, server.url],
    ] as const) {
      await side.load.open({ url: its, org: 'bench', visitors: VISITORS, agents: AGENTS })
      // warm: what is measured is a server that has run for a while
      await side.load.run({ do: 'closed', seconds: ROUND_SECONDS })
    }
    const peaks = { relay: [] as Round[], lyceum: [] as Round[] }
    for (let round = 0; round < ROUNDS; round++) {
      peaks.relay.push(await run(relay, { do: 'closed', seconds: ROUND_SECONDS }))
      peaks.lyceum.push(await run(lyceum, { do: 'closed', seconds: ROUND_SECONDS }))
    }
    const half = (rounds: readonly Round[]) => Math.round(of(rounds, 'perSecond') / 2)
    const slow = { do: 'rate', perSecond: half(peaks.lyceum), seconds: ROUND_SECONDS } as const
    const fast = { do: 'rate', perSecond: half(peaks.relay), seconds: ROUND_SECONDS } as const
    const even = { relay: [] as Round[], lyceum: [] as Round[], relayFast: [] as Round[] }
    for (let round = 0; round < ROUNDS; round++) {
      even.relay.push(await run(relay, slow))
      even.lyceum.push(await run(lyceum, slow))
      even.relayFast.push(await run(relay, fast))
    }
    return figures(peaks, even, slow.perSecond)
  } finally {
    await Promise.all([relay.load.end(), lyceum.load.end()])
    await Promise.all([relayProgram.end(), server.stop()])
  }
}

/** One round. `pids`: all whose work it is. */
export async function run({ pid, load }: Side, order: Exclude<LoadOrder, { do: 'open' }>): Promise<Round> {
  const before = cpuMs(pid)
  const report = await load.run(order)
  const complete = Math.min(report.acks, report.delivered / 2)
  return { ...report, perSecond: report.acks / report.seconds, cpuUs: ((cpuMs(pid) - before) * 1000) / complete }
}

type Rounds = readonly Round[]

function figures(
  peaks: { readonly relay: Rounds; readonly lyceum: Rounds },
  even: { readonly relay: Rounds; readonly lyceum: Rounds; readonly relayFast: Rounds },
  rate: number,
): readonly Figure[] {
  const all = [...peaks.relay, ...peaks.lyceum, ...even.relay, ...even.lyceum, ...even.relayFast]
  const lost = all.reduce((sum, { acks, delivered }) => sum + 2 * acks - delivered, 0)
  const toldFirst = all.reduce((sum, round) => sum + round.toldFirst, 0)
  const busiest = Math.max(...all.map(({ share }) => share))
  return [
    ratio(`CPU per message, both at ${rate}/s`, 'cpuUs', 'µs', even.lyceum, even.relay, 2),
    ratio('CPU per message, each at its peak', 'cpuUs', 'µs', peaks.lyceum, peaks.relay, 2),
    ratio('p50 of the ack, each at half of its own peak', 'p50', 'ms', even.lyceum, even.relayFast, 2.5),
    ratio('p99 of the ack, each at half of its own peak', 'p99', 'ms', even.lyceum, even.relayFast, 3),
    ratio(`p50 of the ack, both at ${rate}/s`, 'p50', 'ms', even.lyceum, even.relay),
    ratio(`p99 of the ack, both at ${rate}/s`, 'p99', 'ms', even.lyceum, even.relay),
    {
      name: 'acks at the peak, Lyceum',
      value: of(peaks.lyceum, 'perSecond'),
      unit: '/s',
      note: spread(peaks.lyceum, 'perSecond'),
    },
    {
      name: 'acks at the peak, relay',
      value: of(peaks.relay, 'perSecond'),
      unit: '/s',
      note: spread(peaks.relay, 'perSecond'),
    },
    { name: 'pushes that did not arrive', value: lost, unit: '', target: atMost(0) },
    { name: 'messages told to their writer before their ack', value: toldFirst, unit: '', target: atMost(0) },
    { name: 'load generator: most of one core that it used', value: busiest, unit: 'cores', target: atMost(0.95) },
  ]
}

export function ratio(
  name: string,
  what: 'cpuUs' | 'p50' | 'p99',
  unit: string,
  ours: Rounds,
  theirs: Rounds,
  target?: number,
): Figure {
  // Of neighbouring rounds, which met the same machine.
  const value = median(ours.map((round, i) => round[what] / (theirs[i]?.[what] ?? Number.NaN)))
  const note = `${of(ours, what).toPrecision(3)} against ${of(theirs, what).toPrecision(3)} ${unit}`
  return { name, value, unit: '×', note, ...(target === undefined ? {} : { target: atMost(target) }) }
}

export const of = (rounds: Rounds, what: 'cpuUs' | 'p50' | 'p99' | 'perSecond'): number =>
  median(rounds.map((round) => round[what]))

const spread = (rounds: Rounds, what: 'perSecond'): string => {
  const values = rounds.map((round) => round[what])
  return `rounds ${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}`
}
