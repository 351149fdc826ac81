import { StreamDamaged } from '../../log/damaged.ts'
import { LogUnavailable } from '../../log/log.ts'
import { PresenceDamaged, PresenceUnavailable } from '../../presence/tracker.ts'
import { ViewsUnavailable } from '../../views/store.ts'

/**
 * Ends a connection attempt. The codes are HTTP's. 401 and 403 are told, as `connect_error` with `err.data`
 * {code, message}; clients then stay away. Everything else passes: the connection is hung up on, and clients come back
 * by themselves (CONN-13).
 */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
  readonly data: { readonly code: number; readonly message: string }
  constructor(code: number, message: string) {
    super(message)
    this.data = { code, message }
  }

  get isFinal(): boolean {
    return this.data.code === 401 || this.data.code === 403
  }
}

/** To whoever cannot be let in because of their own history. */
export const DAMAGED =
  'what is recorded of you was damaged in the store: an operator finds in the log lines of the server what to do'

/** What somebody could not be let in for; undefined = a bug. */
export function refusalFor(error: unknown): ConnectionRefused | undefined {
  if (error instanceof ConnectionRefused) return error
  // Coming again does not help: it would be asked for ever.
  if (error instanceof StreamDamaged || error instanceof PresenceDamaged) return new ConnectionRefused(403, DAMAGED)
  const isPassing = [LogUnavailable, PresenceUnavailable, ViewsUnavailable].some((kind) => error instanceof kind)
  return isPassing ? new ConnectionRefused(503, (error as Error).message) : undefined
}
