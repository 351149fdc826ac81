import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startServer, type TestServer } from '../support/server.ts'

/** A server whose memory and death are watched. */
export interface Watched {
  readonly server: TestServer
  /** Resident memory now, MB. */
  rssMb(): Promise<number>
  /** What its heap holds, as of a second ago, MB. */
  heapMb(): Promise<number>
  /** The most since the last call, MB. */
  takePeakMb(): number
  isDead(): boolean
  stop(): Promise<void>
}

const EVERY_MS = 100
const TELL_HEAP = join(import.meta.dirname, 'tell-heap.ts')

export async function watched(): Promise<Watched> {
  const heapFile = join(await mkdtemp(join(tmpdir(), 'lyceum-heap-')), 'heap')
  const server = await startServer({ env: { NODE_OPTIONS: `--import=${TELL_HEAP}`, HEAP_FILE: heapFile } })
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
    heapMb: async () => Math.round(Number(await readFile(heapFile, 'utf8').catch(() => '0')) / 1_048_576),
    takePeakMb() {
      const found = peak
      peak = 0
      return found
    },
    isDead: () => isDead,
    async stop() {
      clearInterval(timer)
      await server.stop() // also of one that has died: its data goes
      await rm(dirname(heapFile), { recursive: true, force: true })
    },
  }
}
