import { z } from 'zod'
import { ID } from '../../gateway/auth/tokens.ts'
import type { Call } from '../../runtime/answer.ts'

/** What a text must be that names `what`, such as "a chat". */
export const mustBeIdOf = (what: string): string =>
  `must be the id of ${what} (letters, digits, "_" and "-", at most 64)`

/** An id that a client emits. `must`: what is said of another text; `notText`: of what is no text (default: zod's). */
export const idText = (must: string, notText?: Parameters<typeof z.string>[0]) => z.string(notText).regex(ID, must)

/**
 * The name of a call. Null means none: clients in some languages send every field that they know. `notText` as in
 * `idText`.
 */
export const clientIdText = (notText?: string) => z.string(notText).min(1).max(128).nullish()

/** The call that a client emitted. `payload` tells a repeat of a named call from the reuse of its name. */
export const callOf = (clientId: string | null | undefined, payload: unknown, entered: () => void): Call =>
  typeof clientId === 'string' ? { clientId, payload, entered } : { entered }
