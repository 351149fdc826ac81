import { randomBytes } from 'node:crypto'
import type { Socket } from 'socket.io'
import type { Cursor } from '../../delivery/cursor.ts'
import { type KnownCursorOptions, knownCursor } from '../../delivery/known-cursor.ts'
import { ConnectionRefused } from './connection-refused.ts'

/** From where a client goes on, as it says itself. */
export interface Resumption {
  /** Each push brings its cursor (`resume=1`). */
  readonly withCursors: boolean
  /** What it has been told; null = nothing at all. Undefined: it does not say, and comes as somebody new. */
  readonly after: Cursor | null | undefined
  /** What it has sent instead, which is no cursor of this log. */
  readonly unknown: string | null
}

/** Of session ids: longer ones are none of ours. */
const MAX_ID = 64

/**
 * Reads from where a client goes on, in Socket.IO's own protocol of connection state recovery: the server gives a
 * session id (`pid`) on connecting, the client sends it back with the last cursor (`offset`), and has recovered when it
 * is given the same id again (https://socket.io/docs/v4/connection-state-recovery). The id stands for nothing: who
 * somebody is says the token, and what they have missed the log. Or the client sends a cursor as `auth.after`. Rejects
 * with LogUnavailable, and with ConnectionRefused (503) when this node is behind the cursor.
 */
export const resumptions = (parts: KnownCursorOptions) => {
  const sought = async (sent: unknown): Promise<Pick<Resumption, 'after' | 'unknown'>> => {
    if (sent === undefined || sent === null || sent === '') return { after: undefined, unknown: null }
    const cursor = await knownCursor(parts, sent)
    if (cursor === 'behind') throw new ConnectionRefused(503, 'try again: this node is behind')
    if (cursor === 'unknown') return { after: undefined, unknown: String(sent).slice(0, MAX_ID) }
    return { after: cursor, unknown: null }
  }

  return async (socket: Socket): Promise<Resumption> => {
    const { query, auth } = socket.handshake
    const { pid, offset, after, resume } = auth as Readonly<Record<string, unknown>>
    const withCursors = [query.resume, resume].some((asked) => asked === '1' || asked === 1 || asked === true)
    const isReturn = withCursors && isId(pid) && offset !== undefined
    const found = await sought(isReturn ? offset : after)
    if (withCursors) {
      const isRecovered = isReturn && found.after !== undefined
      ;(socket as unknown as Recoverable).pid = isRecovered ? pid : randomBytes(15).toString('base64url')
    }
    return { withCursors, ...found }
  }
}

const isId = (pid: unknown): pid is string => typeof pid === 'string' && pid.length > 0 && pid.length <= MAX_ID

/** What Socket.IO tells the client on connecting, and has no public name for. */
interface Recoverable {
  pid: string
}
