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
