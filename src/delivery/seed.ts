import { type ChatRow, chats } from '../../projections/chats.ts'
import { type OnlineRow, online } from '../../projections/online.ts'
import type { Desk } from '../contracts/support-chat/desk.ts'
import { lastOf } from '../log/last-of.ts'
import type { Log } from '../log/log.ts'
import type { ViewStore } from '../views/store.ts'

const PAGE = 1_000

/**
 * Puts the rows that a node keeps in memory on the desk, as the live views hold them, and tells a position that none of
 * them is behind: following the log from there makes them exact, because a row ignores what it has seen. Null when a
 * view has no table yet, or claims to know more than the log has (the log was put back from a backup): then the log
 * tells everything.
 */
export async function seedDesk(desk: Desk, store: ViewStore, log: Log): Promise<bigint | null> {
  const head = (await lastOf(log))?.position ?? -1n
  const tables: string[] = []
  let lowest = head
  for (const view of [chats.name, online.name]) {
    const table = await store.live(view)
    const position = table === null ? null : (await store.read(table, [])).position
    if (table === null || position === null || position > head) return null
    tables.push(table)
    if (position < lowest) lowest = position
  }
  const [chatsTable = '', onlineTable = ''] = tables
  const seedChat = (room: string, row: ChatRow) => desk.seedChat(room, row)
  await eachRow<ChatRow>(store, chatsTable, 'open/', seedChat)
  await eachRow<ChatRow>(store, chatsTable, 'flagged/', seedChat)
  await eachRow<OnlineRow>(store, onlineTable, 'online/', (person, row) => {
    const [org = '', id = ''] = person.split('.')
    desk.seedPresence(org, id, row)
  })
  return lowest
}

/** The rows are those of the position that was read before, or newer. */
export async function eachRow<R>(
  store: ViewStore,
  table: string,
  prefix: string,
  put: (key: string, row: R) => void,
): Promise<void> {
  for (let from = prefix; ; ) {
    const { entries } = await store.scan(table, { from, to: `${prefix}~`, limit: PAGE })
    // rows are what the projection of this view folded
    for (const { key, row } of entries) if (!isParked(row)) put(key, row as unknown as R)
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return
    from = `${last.index}!` // sorts before everything that could follow: ids and numbers have no character below "-"
  }
}

const isParked = (row: unknown): boolean => typeof row === 'object' && row !== null && 'parked' in row
