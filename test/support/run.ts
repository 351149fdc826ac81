import { spawn } from 'node:child_process'

/** How a program ended (`code` null = by a signal), and everything that it wrote. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs a program with the Node of the tests to its end, or for 20 s at most: it is then told to stop. `env` is its
 * whole environment but for PATH.
 */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}
