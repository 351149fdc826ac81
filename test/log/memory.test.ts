import { memoryLog } from '../../src/log/memory.ts'
import { logSuite } from './suite.ts'
import { suiteCodec } from './suite-world.ts'

logSuite('memory', async () => {
  let now = 1_700_000_000_000
  const log = memoryLog({ codec: suiteCodec, now: () => now })
  return {
    log,
    setNow: (ms) => {
      now = ms
    },
    close: () => log.close(),
  }
})
