import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a stand-in was asked so far. */
export interface Asked {
  readonly append: number
  readonly read: number
  /** Of all events that it holds, data and metadata. */
  readonly bytes: number
}

/** The stand-in in a process of its own: it can be stopped as a whole, and it does not share the test's core. */
export interface StandinProcess {
  readonly url: string
  readonly pid: number
  /** One at a time. */
  asked(): Promise<Asked>
  /** SIGSTOP: connections stay open, nothing at all is answered, not even pings. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL; its data is gone (share a store within one process to keep it). A second call is harmless. */
  stop(): Promise<void>
}

/** Resolves when it listens. It dies with this process at the latest. */
export async function spawnEventStore(port = 0): Promise<StandinProcess> {
  const program = fileURLToPath(import.meta.resolve('./eventstore-standin-main.ts'))
  const child = spawn(process.execPath, [program, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => {
      throw new Error(`the stand-in did not start on port ${port}: see its standard error above`)
    }),
  ])
  return {
    url: String(line).trim(),
    pid: child.pid ?? 0,
    async asked() {
      child.stdin.write('\n')
      const [answer] = await once(child.stdout, 'data')
      return JSON.parse(String(answer)) as Asked
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
