import { startServer } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median } from './figures.ts'
import { cpuMs } from './process-cost.ts'
import { startLoad } from './processes.ts'

const ROUNDS = 7
const ROUND_SECONDS = 2

/**
 * What it costs those who speak Engine.IO 4 that others may speak Engine.IO 3 (`ALLOW_EIO3`): two servers, with and
 * without, take turns with the same load.
 */
export async function eio3(): Promise<readonly Figure[]> {
  const sides = await Promise.all(
    ['yes', 'no'].map(async (ALLOW_EIO3) => {
      const server = await startServer({ env: { ...NO_LIMITS, ALLOW_EIO3 } })
      const load = startLoad()
      await load.open({ url: server.url, org: 'bench', visitors: 100, agents: 10 })
      return { server, load, costs: [] as number[] }
    }),
  )
  try {
    for (let round = 0; round <= ROUNDS; round++)
      for (const { server, load, costs } of round % 2 === 0 ? sides : sides.toReversed()) {
        const before = cpuMs(server.pid)
        const { acks } = await load.run({ do: 'closed', seconds: ROUND_SECONDS })
        if (round > 0) costs.push(((cpuMs(server.pid) - before) * 1000) / acks) // the first one warms
      }
    const [allowed = [], refused = []] = sides.map(({ costs }) => costs)
    return [
      {
        name: 'CPU per message with ALLOW_EIO3 against without',
        value: median(allowed.map((us, n) => us / (refused[n] ?? Number.NaN))),
        unit: '×',
        target: atMost(1.05),
        note: `${median(allowed).toFixed(0)} against ${median(refused).toFixed(0)} µs`,
      },
    ]
  } finally {
    await Promise.all(sides.map(({ load }) => load.end()))
    await Promise.all(sides.map(({ server }) => server.stop()))
  }
}
