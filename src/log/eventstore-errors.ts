import { ErrorType, isCommandError } from '@eventstore/db-client'
import { LogUnavailable } from './log.ts'

/** Nothing came within the time that we wait. */
export class NoAnswer extends LogUnavailable {}

/** What a failed call means for us. */
export type Failure =
  /** The stream stands at `actual` (-1 = no stream); nothing was written. */
  | { readonly kind: 'conflict'; readonly actual: number }
  /** Nothing was written. */
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  /** `readAll` from a position that is no event's. */
  | { readonly kind: 'no-position' }
  /** The stream does not exist. */
  | { readonly kind: 'missing' }
  /**
   * The same call may succeed later; an append may or may not have been written. `rebuild`: this client will never
   * recover.
   */
  | { readonly kind: 'passing'; readonly rebuild: boolean }
  /**
   * `user`: the server does not know them, or not with this password. `right`: they may not do this. Somebody must
   * change it, and the same call succeeds from then on.
   */
  | { readonly kind: 'denied'; readonly what: 'user' | 'right' }
  /** Repeating does not help: configuration, a deleted stream, or our own bug. */
  | { readonly kind: 'lasting' }

/** gRPC: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([1, 4, 8, 10, 13, 14, 15])

/** gRPC */
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

/**
 * Sorts what `@eventstore/db-client` 6.2.1 rejects with: its own command errors, raw gRPC errors with a numeric `code`,
 * and plain errors ("Failed to discover after N attempts."). The `expectedVersion` that an error echoes is wrong on
 * some servers: not used.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof LogUnavailable) return { kind: 'passing', rebuild: false }
  if (!(error instanceof Error)) return { kind: 'lasting' }
  if (error.message.startsWith('Failed to discover')) return { kind: 'passing', rebuild: true }
  // What 24.6 says, and what 22.10 says of it.
  if (/ReadAllResult: (InvalidPosition|Error)/.test(error.message)) return { kind: 'no-position' }
  const { code } = error as { readonly code?: unknown }
  if (code === UNAUTHENTICATED) return { kind: 'denied', what: 'user' }
  if (code === PERMISSION_DENIED) return { kind: 'denied', what: 'right' }
  if (isCommandError(error)) {
    switch (error.type) {
      case ErrorType.WRONG_EXPECTED_VERSION:
        return { kind: 'conflict', actual: error.actualVersion === 'no_stream' ? -1 : Number(error.actualVersion) }
      case ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED:
        return { kind: 'too-large', limitBytes: error.maxAppendSize }
      case ErrorType.STREAM_NOT_FOUND:
        return { kind: 'missing' }
      case ErrorType.ACCESS_DENIED:
        return { kind: 'denied', what: 'right' }
      case ErrorType.UNAVAILABLE:
      case ErrorType.CANCELLED:
      case ErrorType.TIMEOUT:
      case ErrorType.DEADLINE_EXCEEDED:
      case ErrorType.NOT_LEADER:
        return { kind: 'passing', rebuild: false }
      case ErrorType.UNKNOWN:
        // "Server Is Not Ready", "Server Is Busy" are known to the server, not to the client.
        return error.message.includes('Server Is') || PASSING_CODES.has(code)
          ? { kind: 'passing', rebuild: false }
          : { kind: 'lasting' }
      default:
        // Not exhaustive on purpose: the rest (stream deleted, persistent subscriptions, users …) all last.
        return { kind: 'lasting' }
    }
  }
  return PASSING_CODES.has(code) ? { kind: 'passing', rebuild: false } : { kind: 'lasting' }
}

/** Nobody said anything, as far as this call is concerned: no answer, not even a no. */
export const isSilence = (error: unknown): boolean =>
  error instanceof NoAnswer ||
  (error instanceof Error && isCommandError(error) && error.type === ErrorType.DEADLINE_EXCEEDED)

/** A lasting failure in words for the operator. The server's address and password are never in it. */
export function explained(doing: string, error: unknown): Error {
  if (error instanceof Error && isCommandError(error) && error.type === ErrorType.STREAM_DELETED) {
    return new Error(
      `EventStoreDB refused ${doing}: the stream was tombstoned by somebody else and can never be used again`,
      { cause: error },
    )
  }
  return error instanceof Error ? error : new Error(`${doing} failed`, { cause: error })
}

/** What somebody must change so that it is no longer denied. */
export function denial(doing: string, what: 'user' | 'right'): string {
  return what === 'user'
    ? `EventStoreDB denied ${doing}: it does not take the user and the password in EVENTSTORE_URL; ` +
        'set them right (: and @ in them percent-encoded), and see that the user is not disabled'
    : `EventStoreDB denied ${doing}: give the user in EVENTSTORE_URL the right to read $all and to write our ` +
        'streams, as README.md says, or name a user there when it names none'
}
