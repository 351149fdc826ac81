import { readFile } from 'node:fs/promises'
import { startServer, type TestServer } from '../support/server.ts'

/** A server whose memory and death are watched. */
export interface Watched {
  readonly server: TestServer
  /** Resident memory now, MB. */
  rssMb(): Promise<number>
  /** The most since the last call, MB. */
  takePeakMb(): number
  isDead(): boolean
  stop(): Promise<void>
}

const EVERY_MS = 100

export async function watched(env: Readonly<Record<string, string>> = {}): Promise<Watched> {
  const server = await startServer({ env })
  let isDead = false
  let peak = 0
  void server.ended.then(() => {
    isDead = true
  })
  /** Linux says it in kB. 0: it is not there any more. */
  const rssMb = async (): Promise<number> => {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8').catch(() => '')
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024)
  }
  const timer = setInterval(() => {
    void rssMb().then((now) => {
      peak = Math.max(peak, now)
    })
  }, EVERY_MS)
  return {
    ...{ server, rssMb },
    takePeakMb() {
      const found = peak
      peak = 0
      return found
    },
    isDead: () => isDead,
    async stop() {
      clearInterval(timer)
      if (!isDead) await server.stop()
    },
  }
}
