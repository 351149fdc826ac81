import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { startServer, tokenFor } from '../test/support/server.ts'

const PARTICIPANTS = 1_000
const AT_ONCE = 50
/** What is measured is a server that has run for a while. */
const WARM_UP_ROUNDS = 3
const ROUNDS = 5
/** What a server does after the last client is in (views, pushes) is part of the price: until it uses no CPU for so long. */
const QUIET_MS = 300
const MOST = 3

/** One measured value, as `bench/main.ts` prints it. */
interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly target?: { readonly at: 'most'; readonly value: number }
  readonly note?: string
}

/** A server that participants connect to. */
interface Side {
  readonly url: string
  readonly pid: number
}

/** How one of them comes; `round` makes them somebody new each time. */
type Coming = (round: number, n: number) => Promise<{ readonly query?: Record<string, string>; readonly auth?: Record<string, string> }>

/**
 * What it costs a server when a class of 1,000 comes, beside a bare Socket.IO server with the same clients, in turns. Medians of the
 * ratios of neighbouring rounds. Participants without a token, students with one who are new, and students who are known.
 */
export async function connecting(): Promise<readonly Figure[]> {
  const bareProgram: ChildProcess = fork(join(import.meta.dirname, 'bare.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ url }] = (await once(bareProgram, 'message')) as [{ url: string }]
  const bare: Side = { url, pid: bareProgram.pid ?? 0 }
  const server = await startServer({ env: { RATE_PER_ADDRESS: '1000000', DISCONNECT_GRACE_MS: '0' } })
  try {
    const token = (id: string) => tokenFor('student', id, 'bench')
    const known = await Promise.all(Array.from({ length: PARTICIPANTS }, (_, n) => token(`known-${n}`)))
    return [
      ...(await against('without a token', bare, server, async () => ({ query: { role: 'student' } }))),
      ...(await against('new students', bare, server, async (round, n) => ({ auth: { token: await token(`new-${round}-${n}`) } }))),
      ...(await against('known students', bare, server, async (_, n) => ({ auth: { token: known[n] ?? '' } }))),
    ]
  } finally {
    bareProgram.disconnect()
    await server.stop()
  }
}

async function against(who: string, bare: Side, lyceum: Side, coming: Coming): Promise<readonly Figure[]> {
  const ratios: number[] = []
  const costs: { readonly ours: number; readonly theirs: number; readonly ms: number }[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const theirs = await comeAndGo(bare, round, coming)
    const ours = await comeAndGo(lyceum, round, coming)
    if (round < WARM_UP_ROUNDS) continue
    ratios.push(ours.cpuMs / theirs.cpuMs)
    costs.push({ ours: ours.cpuMs, theirs: theirs.cpuMs, ms: ours.ms })
  }
  const us = (side: 'ours' | 'theirs') => Math.round((median(costs.map((cost) => cost[side])) * 1_000) / PARTICIPANTS)
  const note = `${us('ours')} against ${us('theirs')} µs`
  return [
    { name: `CPU per connect, ${who}`, value: median(ratios), unit: '×', target: { at: 'most', value: MOST }, note },
    {
      name: `${PARTICIPANTS} connected, ${who}`,
      value: median(costs.map(({ ms }) => ms)) / 1_000,
      unit: 's',
      target: { at: 'most', value: 5 },
    },
  ]
}

async function comeAndGo({ url, pid }: Side, round: number, coming: Coming): Promise<{ readonly cpuMs: number; readonly ms: number }> {
  const options = await Promise.all(Array.from({ length: PARTICIPANTS }, (_, n) => coming(round, n)))
  const open: Socket[] = []
  const before = cpuMs(pid)
  const started = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < PARTICIPANTS; n = next++) {
      const socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], ...options[n] })
      open.push(socket)
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const ms = performance.now() - started
  await quiet(pid)
  const cost = cpuMs(pid) - before
  for (const socket of open) socket.close()
  await quiet(pid)
  return { cpuMs: cost, ms }
}

async function quiet(pid: number): Promise<void> {
  for (let last = -1; last !== cpuMs(pid); ) {
    last = cpuMs(pid)
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  }
}

/** CPU that a process has used so far, user and system, all threads, in milliseconds (steps of 10). Linux only. */
function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets, which may hold spaces: count from behind it. utime and stime are 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

if (import.meta.main) {
  for (const { name, value, unit, target, note = '' } of await connecting()) {
    process.stdout.write(`${name.padEnd(40)} ${value.toPrecision(3)} ${unit}  (≤ ${target?.value ?? '-'}) ${note}\n`)
  }
}
