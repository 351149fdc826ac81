import { hash, randomBytes } from 'node:crypto'
import type { Socket } from 'socket.io'
import { type PersonRef, personName } from '../../../machines/stream.ts'
import type { Cursor } from '../../delivery/cursor.ts'
import { type KnownCursorOptions, knownCursor, shownCursor } from '../../delivery/known-cursor.ts'
import { ConnectionRefused } from './connection-refused.ts'

/** From where a client goes on, as it says itself. */
export interface Resumption {
  /** Each push brings its cursor (`resume=1`). */
  readonly withCursors: boolean
  /** What it has been told; null = nothing at all. Undefined: it does not say, and comes as somebody new. */
  readonly after: Cursor | null | undefined
  /** What it has sent instead, which is no cursor of this log. */
  readonly unknown: string | null
  /** The name (`pid`) under which the client comes back; null: it does not want to go on. */
  readonly client: string | null
  /** It goes on as if it had not been away. */
  readonly isRecovered: boolean
  /** The connection in whose place it comes, as it says itself; clients that are older than 4.6 do not say. */
  readonly replaces: string | null
}

/** Of session ids: longer ones are none of ours. */
const MAX_ID = 64

/**
 * Reads from where a client goes on, in Socket.IO's own protocol of connection state recovery: the server gives a
 * session id (`pid`) on connecting, the client sends it back with the last cursor (`offset`), and has recovered when it
 * is given the same id again (https://socket.io/docs/v4/connection-state-recovery). The id stands for nothing: who
 * somebody is says the token, and what they have missed the log. It only shows whom it was given to: who logs in in
 * another one's place, in the same page, is somebody new. Or the client sends a cursor as `auth.after`. A client
 * that wants no cursors is given the id of its connection, another one each time, so that it never takes itself for
 * recovered: when it comes back it says by itself in whose place. Rejects with LogUnavailable, and with
 * ConnectionRefused (503) when this node is behind the cursor.
 */
export const resumptions = (parts: KnownCursorOptions) => {
  const sought = async (sent: unknown): Promise<Pick<Resumption, 'after' | 'unknown'>> => {
    if (sent === undefined || sent === null || sent === '') return { after: undefined, unknown: null }
    const cursor = await knownCursor(parts, sent)
    if (cursor === 'behind') throw new ConnectionRefused(503, 'try again: this node is behind')
    if (cursor === 'unknown') return { after: undefined, unknown: shownCursor(sent) }
    return { after: cursor, unknown: null }
  }

  return async (socket: Socket, person: PersonRef): Promise<Resumption> => {
    const { query, auth } = socket.handshake
    const { pid, offset, after, resume } = auth as Readonly<Record<string, unknown>>
    const withCursors = [query.resume, resume].some((asked) => asked === '1' || asked === 1 || asked === true)
    const isReturn = withCursors && isId(pid) && offset !== undefined && !isOfAnother(pid, person)
    const found = await sought(isReturn ? offset : after)
    const isRecovered = isReturn && found.after !== undefined
    const client = isRecovered ? pid : withCursors ? `${randomId()}${markOf(person)}` : null
    ;(socket as unknown as Recoverable).pid = client ?? socket.id
    return { withCursors, ...found, client, isRecovered, replaces: !withCursors && isId(pid) ? pid : null }
  }
}

/** Of 20 characters. */
const randomId = (): string => randomBytes(15).toString('base64url')
const ID_LENGTH = 20
const MARK_LENGTH = 10

const markOf = (person: PersonRef): string => hash('sha256', personName(person), 'base64url').slice(0, MARK_LENGTH)

/** Ids of older releases, and those that somebody makes up, say nothing. */
const isOfAnother = (pid: string, person: PersonRef): boolean =>
  pid.length === ID_LENGTH + MARK_LENGTH && pid.slice(ID_LENGTH) !== markOf(person)

/** No blanks: it is written beside others. */
const isId = (pid: unknown): pid is string => typeof pid === 'string' && pid.length <= MAX_ID && /^[\w-]+$/.test(pid)

/** What Socket.IO tells the client on connecting, and has no public name for. */
interface Recoverable {
  pid: string
}
