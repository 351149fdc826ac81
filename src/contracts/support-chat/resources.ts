import { z } from '@hono/zod-openapi'
import type { ChatRow } from '../../../projections/chats.ts'
import { posOf } from '../../delivery/cursor.ts'
import type { Recorded } from '../../log/log.ts'
import { chatVisitor, roomObject } from './wire.ts'

/** Chats and their events are told in the words of the support-chat document, which `docs/` describes. */
export const Described = z.record(z.string(), z.unknown())

/** Times in milliseconds, like all room objects. `isInternal`: with the priority that staff have given it. */
export const chatResource = (room: string, row: ChatRow, isInternal = true) => ({
  ...roomObject(room, isInternal ? row : { ...row, severity: 0, updatedAt: null }),
  state: row.status,
  staff_id: row.staffId,
  served_by: row.servedBy,
  visitor: chatVisitor(row),
  messages_count: row.messages,
  closed_at: row.closedAt,
  close_reason: row.closeReason,
  seq: row.seq,
})

/** An event as recorded. `by` is the person who asked, `system` for Lyceum itself. */
export function eventResource(room: string, { id, revision, position, at, event, meta }: Recorded) {
  const { type, ...data } = event
  return {
    id,
    room,
    seq: revision,
    pos: posOf({ id, position }),
    at,
    type,
    data,
    by: meta.by,
    command_id: meta.correlationId,
    caused_by: meta.causationId ?? null,
  }
}
