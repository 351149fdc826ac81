import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { childEnv } from './child-env.ts'
import { PATIENCE_MS } from './patience.ts'

/** Debian's own: others do not find Debian's modules. */
const PYTHON = '/usr/bin/python3'
const PROGRAM = join(import.meta.dirname, 'python-client.py')

export interface PythonOptions {
  readonly transport: 'websocket' | 'polling'
  readonly auth?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** A client of python3-socketio in a process of its own. */
export interface PythonClient {
  /** Emits and resolves to what the ack brought. */
  ask(name: string, data: object): Promise<unknown[]>
  /** Resolves to the first push (past or to come) of this name that passes. */
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes, and tests look into them
  told(name: string, passes?: (data: any) => boolean): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: see above
  all(name: string): any[]
  /** It disconnects, and ends. */
  close(): Promise<void>
}

interface Said {
  readonly what: 'connected' | 'heard' | 'ack' | 'refused' | 'disconnected'
  readonly name?: string
  readonly number?: number
  readonly data?: unknown[]
}

/** Resolves once it is connected; rejects with what it wrote when it ends before. */
export async function pythonClient(url: string, options: PythonOptions): Promise<PythonClient> {
  const program = spawn(PYTHON, [PROGRAM, JSON.stringify({ url, ...options })], { env: childEnv })
  const said: Said[] = []
  const watchers = new Set<() => void>()
  let errors = ''
  program.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ended = new Promise<void>((resolve) => program.once('close', () => resolve()))
  createInterface({ input: program.stdout }).on('line', (line) => {
    said.push(JSON.parse(line) as Said)
    for (const look of watchers) look()
  })

  const seen = (what: string, passes: (one: Said) => boolean): Promise<Said> =>
    new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        clearTimeout(timer)
        watchers.delete(look)
        outcome()
      }
      const look = (): void => {
        const found = said.find(passes)
        if (found) settle(() => resolve(found))
      }
      const fail = (why: string) => (): void =>
        settle(() => reject(new Error(`${why}, and no ${what} so far, but ${JSON.stringify(said)}\n${errors}`)))
      const timer = setTimeout(fail('waited for long'), PATIENCE_MS)
      watchers.add(look)
      void ended.then(fail('Python has ended'))
      look()
    })
  const isPush =
    (name: string) =>
    (one: Said): boolean =>
      one.what === 'heard' && one.name === name

  await seen('connection', ({ what }) => what === 'connected')
  let asked = 0
  return {
    async ask(name, data) {
      const number = ++asked
      program.stdin.write(`${JSON.stringify({ number, name, data })}\n`)
      return (await seen(`ack of ${name}`, (one) => one.what === 'ack' && one.number === number)).data ?? []
    },
    async told(name, passes = () => true) {
      return (await seen(name, (one) => isPush(name)(one) && passes(one.data?.[0]))).data?.[0]
    },
    all: (name) => said.filter(isPush(name)).map(({ data }) => data?.[0]),
    async close() {
      program.stdin.end()
      await ended
    },
  }
}
