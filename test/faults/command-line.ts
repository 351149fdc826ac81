import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { childEnv } from '../support/child-env.ts'
import { SECRET } from '../support/server.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** Runs `lyceum <args>` to its end and resolves to what it printed; rejects when its exit code is not 0. */
export function lyceum(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...childEnv, JWT_SECRET: SECRET, ...env } },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`lyceum ${args.join(' ')} failed: ${stdout}${stderr}`))
        else resolve(stdout)
      },
    )
  })
}

/**
 * A port that a server can come back to. The ports that the system gives to clients would not do: a client that knocks
 * at one of them while nobody listens there may be given the very same port and be connected to itself.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer()
        .once('error', () => resolve(false))
        .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) return port
  }
}
