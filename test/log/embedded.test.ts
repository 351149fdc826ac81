import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import type { Log } from '../../src/log/log.ts'
import { logSuite } from './suite.ts'
import { suiteCodec } from './suite-world.ts'

logSuite('embedded', async () => {
  const path = await mkdtemp(join(tmpdir(), 'lyceum-log-'))
  let now = 1_700_000_000_000
  const open = (): Promise<Log> =>
    openEmbeddedLog({
      path,
      codec: suiteCodec,
      now: () => now,
      onFatal(error) {
        throw error
      },
    })
  let log = await open()
  return {
    log,
    setNow(ms) {
      now = ms
    },
    async reopen() {
      await log.close()
      log = await open()
      return log
    },
    async close() {
      await log.close()
      await rm(path, { recursive: true })
    },
  }
})
