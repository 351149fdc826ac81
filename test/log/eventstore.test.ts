import { openEventStoreLog } from '../../src/log/eventstore.ts'
import type { Log } from '../../src/log/log.ts'
import { shareFollowing } from '../../src/log/shared-following.ts'
import { startEventStore } from '../support/eventstore-standin.ts'
import { slowly } from '../support/slowness.ts'
import { logSuite } from './suite.ts'
import { type LogHarness, suiteCodec } from './suite-world.ts'

const harness = (wrapped: (log: Log) => Log) => async (): Promise<LogHarness> => {
  let now: (() => number) | null = null
  let lost = 0
  const server = await startEventStore({
    behaviour: {
      clock: () => (now ?? Date.now)(),
      onAppend: () => (lost-- > 0 ? 'keep-silent' : 'answer'),
    },
  })
  const open = async () =>
    wrapped(
      await openEventStoreLog({
        url: server.url,
        codec: suiteCodec,
        now: () => (now ?? Date.now)(),
        patience: { attemptMs: slowly(500), totalMs: slowly(15_000) },
      }),
    )
  const log = await open()
  let current = log
  return {
    log,
    setNow(ms) {
      now = () => ms
    },
    async reopen() {
      await current.close()
      current = await open()
      return current
    },
    async breakConnection() {
      server.kill()
      return server.restart
    },
    loseNextAnswer() {
      lost = 1
    },
    async close() {
      await current.close()
      server.kill()
    },
  }
}

logSuite(
  'EventStoreDB (stand-in)',
  harness((log) => log),
)
logSuite('EventStoreDB (stand-in), followed once for all', harness(shareFollowing))

const url = process.env.TEST_EVENTSTORE_URL
if (url !== undefined && url !== '') {
  logSuite('EventStoreDB (real)', async (): Promise<LogHarness> => {
    const log = await openEventStoreLog({ url, codec: suiteCodec })
    return { log, close: () => log.close() }
  })
}
