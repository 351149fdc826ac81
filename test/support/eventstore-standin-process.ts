import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The stand-in in a process of its own: it can be stopped as a whole, and it does not share the test's core. */
export interface StandinProcess {
  readonly url: string
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
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
