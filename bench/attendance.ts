import { attendanceHerd } from '../test/faults/attendance-herd.ts'
import { atMost, type Figure } from './figures.ts'

const STUDENTS = 5_000
const WATCHERS = 500
const WITHIN_MS = 2_000

/**
 * A year's students check in at once over HTTP while some of them watch; every tenth presses the button twice. Clients
 * in a process of their own.
 */
export async function attendance(): Promise<readonly Figure[]> {
  const spread = await figures(WITHIN_MS, `within ${WITHIN_MS / 1000} s`)
  const burst = await figures(0, 'all in one moment')
  return [...spread, ...burst]
}

async function figures(ms: number, how: string): Promise<readonly Figure[]> {
  const { checkIn, watched, marked, histories, studentCount, serverCpuMs } = await attendanceHerd(
    STUDENTS,
    WATCHERS,
    ms,
  )
  const wrong = watched.last.filter((counts) => counts !== `[${STUDENTS}]`).length
  return [
    {
      name: `${STUDENTS} check-ins ${how}`,
      value: (checkIn.presses / checkIn.tookMs) * 1000,
      unit: 'requests/s',
      note:
        `${checkIn.presses} requests sent in ${Math.round(checkIn.sentMs)} ms, ` +
        `answered in ${Math.round(checkIn.tookMs)} ms`,
    },
    { name: 'p99 of the answer', value: checkIn.p99Ms, unit: 'ms', note: `p50 ${Math.round(checkIn.p50Ms)} ms` },
    {
      name: 'processor time of the server, per request',
      value: (serverCpuMs / checkIn.presses) * 1000,
      unit: 'µs',
      target: atMost(1_500),
      note: 'all threads',
    },
    { name: 'marks lost', value: STUDENTS - marked + Math.abs(STUDENTS - studentCount), unit: '', target: atMost(0) },
    { name: 'marks twice', value: histories - marked, unit: '', target: atMost(0) },
    { name: `pushes a second to each of ${WATCHERS} watchers`, value: watched.most, unit: '', target: atMost(5) },
    { name: 'kinds of last pushes that are not the truth', value: wrong, unit: '', target: atMost(0) },
  ]
}
