import { type AttendanceSessionRow, attendanceSessions } from '../../../projections/attendance-sessions.ts'
import { eachRow } from '../../delivery/seed.ts'
import { lastOf } from '../../log/last-of.ts'
import type { Log } from '../../log/log.ts'
import type { ViewStore } from '../../views/store.ts'
import type { AttendanceDesk } from './desk.ts'

/**
 * Puts the active sessions on the desk as the view has them. Gives the position of the view, from which the log makes
 * them exact; null when there is no view, or when it claims to know more than the log has.
 */
export async function seedAttendance(desk: AttendanceDesk, store: ViewStore, log: Log): Promise<bigint | null> {
  const table = await store.live(attendanceSessions.name)
  const position = table === null ? null : (await store.read(table, [])).position
  const head = (await lastOf(log))?.position ?? -1n
  if (table === null || position === null || position > head) return null
  const active: (readonly [string, AttendanceSessionRow])[] = []
  await eachRow<AttendanceSessionRow>(store, table, 'active/', (id, row) => active.push([id, row]))
  for (const [id, row] of active) await desk.seed(id, row)
  return position
}
