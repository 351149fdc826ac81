import { connect } from '../test/support/client.ts'
import { startServer, tokenFor } from '../test/support/server.ts'
import { type Figure, quantile } from './figures.ts'
import { inDirectory } from './histories.ts'
import { openWire, type Wire } from './wire.ts'

const CLIENTS = 5_000
/** Connections that are being opened at a time: what a listening socket takes. */
const AT_ONCE = 500
const OTHERS = 5
const PAUSE_MS = 20

/**
 * 5,000 visitors were connected when the server was killed; it starts again, and all come back at once. Until the last
 * one is in, five visitors and their agent write. Clients and server share the machine.
 */
export function restart(): Promise<readonly Figure[]> {
  return inDirectory(async (data) => {
    const env = { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '1000000', DISCONNECT_GRACE_MS: '600000' }
    const tokens = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => tokenFor('visitor', `v${n}`)))
    const first = await startServer({ data, env })
    await come(first.url, tokens)
    first.kill('SIGKILL')
    await first.ended
    const startedAt = performance.now()
    const server = await startServer({ data, env })
    try {
      const startMs = performance.now() - startedAt
      let running = true
      const ackMs: number[] = []
      const writers = Array.from({ length: OTHERS }, async (_, n) => {
        const client = await connect(server.url, { auth: { token: await tokenFor('visitor', `other-${n}`) } })
        await client.ask('visitor_first_msg', { n })
        while (running) {
          const askedAt = performance.now()
          await client.ask('visitor_msg', { n })
          ackMs.push(performance.now() - askedAt)
          await new Promise((again) => setTimeout(again, PAUSE_MS))
        }
        client.close()
      })
      const cameAt = performance.now()
      const open = await come(server.url, tokens)
      const backMs = performance.now() - cameAt
      running = false
      await Promise.all(writers)
      for (const wire of open) wire.close()
      return [
        { name: 'start on the data of the killed server', value: startMs / 1000, unit: 's' },
        { name: `${CLIENTS.toLocaleString('en')} back after a restart, all live`, value: backMs / 1000, unit: 's' },
        {
          name: 'ack of others meanwhile, p99',
          value: quantile(ackMs, 0.99),
          unit: 'ms',
          note: `p50 ${quantile(ackMs, 0.5).toFixed(0)} ms, ${ackMs.length} acks`,
        },
      ]
    } finally {
      server.kill('SIGKILL')
      await server.ended
    }
  })
}

async function come(url: string, tokens: readonly string[]): Promise<Wire[]> {
  const open: Wire[] = []
  const left = tokens.values()
  const worker = async (): Promise<void> => {
    for (const token of left) open.push(await openWire({ url, auth: { token }, query: {} }, () => {}))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return open
}
