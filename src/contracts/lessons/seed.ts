import { lessons } from '../../../projections/lessons.ts'
import { eachRow } from '../../delivery/seed.ts'
import { lastOf } from '../../log/last-of.ts'
import { type Log, LogUnavailable } from '../../log/log.ts'
import type { ViewStore } from '../../views/store.ts'
import type { LessonDesk } from './desk.ts'

/**
 * Puts the open lessons on the desk: the view tells which they are, each one's stream tells the rest. Gives the
 * position of the view, from which the log tells of lessons that it does not know yet; null when there is no view.
 */
export async function seedLessons(
  desk: LessonDesk,
  store: ViewStore,
  log: Log,
  onError: (error: unknown) => void,
): Promise<bigint | null> {
  const table = await store.live(lessons.name)
  const position = table === null ? null : (await store.read(table, [])).position
  const head = (await lastOf(log))?.position ?? -1n
  if (table === null || position === null || position > head) return null
  const open: string[] = []
  await eachRow(store, table, 'open/', (id) => open.push(id))
  for (const id of open) {
    await desk.recall(id).catch((error: unknown) => {
      if (error instanceof LogUnavailable) throw error
      onError(error)
    })
  }
  return position
}
