import { spawn } from 'node:child_process'
import { childEnv } from './child-env.ts'
import { PATIENCE_MS } from './patience.ts'

/** How a program ended (`code` null = by a signal), and everything that it wrote. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs a program with the Node of the tests to its end, or until `PATIENCE_MS` is over: it is then told to stop. `env`
 * is its whole environment but for PATH.
 */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...childEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}
