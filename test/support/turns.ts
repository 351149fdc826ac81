import { get } from 'node:http'
import { join } from 'node:path'

export interface Turns {
  /** To be given to the server. */
  readonly env: Readonly<Record<string, string>>
  /** Of the server while this runs, its longest turn, in milliseconds of processor time. */
  during(work: () => Promise<unknown>): Promise<number>
}

/** Turns of a server that is started with this environment, whose probe listens in this directory. */
export function turnsOf(directory: string): Turns {
  const socketPath = join(directory, 'turns.sock')
  const ask = (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      get({ socketPath, path }, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        resolve(Number(text))
      }).on('error', reject)
    })
  return {
    env: { TURN_PROBE: socketPath, NODE_OPTIONS: `--import=${join(import.meta.dirname, 'turn-probe.ts')}` },
    async during(work) {
      await ask('/begin')
      await work()
      return ask('/end')
    },
  }
}
