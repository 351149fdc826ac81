import type { Socket } from 'socket.io-client'
import { Refused } from './refused.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

export interface AdmissionParts {
  readonly token: string | (() => string | Promise<string>) | undefined
  /** It is not let in, and nothing that it does by itself will change that. */
  refused(why: Refused): void
}

/**
 * The token of each connection, and what becomes of a connection that is not let in. A token that cannot be got, or is
 * not taken, may be another one the next time: it is asked for again after growing pauses, for as long as there is
 * somebody to ask.
 */
export class Admission {
  readonly #parts: AdmissionParts
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** Gives what goes with the next CONNECT; where there is no token to be had, the line is hung up, and tried again. */
  async present(socket: Socket, send: (auth: { readonly token?: string }) => void): Promise<void> {
    const { token } = this.#parts
    try {
      const now = typeof token === 'function' ? await token() : token
      send(now === undefined ? {} : { token: now })
    } catch {
      const { engine } = socket.io
      this.#later(() => engine.close()) // lost, so that socket.io-client connects again
    }
  }

  letIn(): void {
    this.#failures = 0
  }

  /** The server has said no to this connection: socket.io-client does not try again by itself. */
  turnedAway(socket: Socket, error: Error): void {
    const { code, message } = ((error as { readonly data?: unknown }).data ?? {}) as Record<string, unknown>
    if (code === undefined) return // the line, not the server: it is tried again
    if (code === 401 && typeof this.#parts.token === 'function') this.#later(() => socket.connect())
    else this.#parts.refused(new Refused(String(code), String(message ?? error.message)))
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #later(work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++))
  }
}
