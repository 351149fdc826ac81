import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { logSuite } from './suite.ts'

logSuite('memory', async () => {
  let now = 1_700_000_000_000
  const log = memoryLog({ codec: codec({}), now: () => now })
  return {
    log,
    setNow: (ms) => {
      now = ms
    },
    close: () => log.close(),
  }
})
