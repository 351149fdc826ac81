import { readFileSync } from 'node:fs'

/** Ticks per second of /proc: 100 on every Linux that runs Node. */
const TICKS = 100

/** CPU that a process has used so far, user and system, all threads, in milliseconds (steps of 10). Linux only. */
export function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets, which may hold spaces: count from behind it. utime and stime
  // are 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS
}

/**
 * What a server does after the last client is in (views, pushes) is part of the price: until it uses no CPU for so
 * long.
 */
const QUIET_MS = 250

export async function quiet({ pid }: { readonly pid: number }): Promise<void> {
  for (let last = -1; last !== cpuMs(pid); ) {
    last = cpuMs(pid)
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  }
}
