import { join } from 'node:path'
import { eventSchemas } from '../../machines/catalogue.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Recorded } from '../../src/log/log.ts'
import { type Fact, factsOf } from '../support/history-checker.ts'

/** What stands in the embedded log of a data directory, whether its server runs or not. */
export async function recordedIn(data: string, after?: bigint): Promise<Recorded[]> {
  const log = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal: () => {},
    readOnly: true,
  })
  const found: Recorded[] = []
  try {
    for await (const batch of log.readAll(after === undefined ? {} : { from: after })) {
      found.push(...batch.filter(({ position }) => after === undefined || position > after))
    }
  } finally {
    await log.close()
  }
  return found
}

export const factsIn = async (data: string): Promise<Fact[]> => factsOf(await recordedIn(data))
