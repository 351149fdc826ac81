import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { LoadOrder, LoadReport } from './load.ts'

/** A program of this folder in a process of its own, with a channel to it. */
export interface Program {
  readonly pid: number
  /** Sends a message and resolves to the answer; rejects when the program ends or answers `{failed}`. One at a time. */
  ask(message: unknown): Promise<unknown>
  /** Resolves to the next thing that it says by itself. */
  said(): Promise<unknown>
  end(): Promise<void>
}

export function startProgram(
  file: string,
  nodeOptions: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Program {
  const child: ChildProcess = fork(join(import.meta.dirname, file), [], {
    execArgv: [...nodeOptions],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const orphan = (): void => void child.kill('SIGKILL')
  process.once('exit', orphan)
  const said = (): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const gone = (): void => reject(new Error(`${file} ended before it answered`))
    child.once('message', (message: { failed?: string }) => {
      child.removeListener('exit', gone)
      if (message.failed === undefined) resolve(message)
      else reject(new Error(`${file}: ${message.failed}`))
    })
    child.once('exit', gone)
    return promise
  }
  return {
    pid: child.pid ?? 0,
    said,
    ask(message) {
      const answer = said()
      child.send(message as object)
      return answer
    },
    async end() {
      child.kill('SIGKILL') // it holds nothing that is worth an orderly end
      await ended
      process.removeListener('exit', orphan)
    },
  }
}

/** A load generator that drives one server. */
export interface Load {
  open(order: Omit<Extract<LoadOrder, { do: 'open' }>, 'do'>): Promise<void>
  run(order: Exclude<LoadOrder, { do: 'open' }>): Promise<LoadReport>
  end(): Promise<void>
}

export function startLoad(): Load {
  const program = startProgram('load.ts')
  return {
    open: async (order) => void (await program.ask({ do: 'open', ...order } satisfies LoadOrder)),
    run: async (order) => ((await program.ask(order)) as { report: LoadReport }).report,
    end: program.end,
  }
}
