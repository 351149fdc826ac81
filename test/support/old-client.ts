import { createRequire } from 'node:module'

/** As much of socket.io-client 2, which has no types of its own, as tests need. */
export interface OldSocket {
  readonly connected: boolean
  readonly io: { readonly engine: { close(): void } }
  on(event: string, listener: (...args: never[]) => void): void
  emit(event: string, ...args: unknown[]): void
  close(): void
}

export interface OldOptions {
  readonly transports?: readonly string[]
  readonly query?: Readonly<Record<string, string>>
  readonly extraHeaders?: Readonly<Record<string, string>>
  readonly forceNew?: boolean
  readonly reconnectionDelay?: number
}

/** socket.io-client 2.5: Engine.IO 3, in which clients ping and there is no `auth`. */
export const oldIo = createRequire(import.meta.url)('socket.io-client-2') as (
  url: string,
  options: OldOptions,
) => OldSocket
