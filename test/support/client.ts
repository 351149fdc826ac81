import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { PATIENCE_MS } from './patience.ts'

/** What a client was told, in order. */
export interface Heard {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes, and tests look into them
  readonly data: any
}

/** A real Socket.IO client that remembers everything it hears, and lets a test wait for a fact. */
export interface Client {
  readonly socket: Socket
  readonly heard: readonly Heard[]
  /** Emits and resolves to what the ack brought. */
  ask(name: string, ...args: unknown[]): Promise<unknown[]>
  /**
   * Resolves to the first push (past or to come) of this name that passes; rejects after `PATIENCE_MS` with what
   * was heard instead.
   */
  // biome-ignore lint/suspicious/noExplicitAny: see Heard
  told(name: string, passes?: (data: any) => boolean): Promise<any>
  /** All data of this name so far. */
  // biome-ignore lint/suspicious/noExplicitAny: see Heard
  all(name: string): any[]
  close(): void
}

export type ConnectOptions = Partial<ManagerOptions & SocketOptions> & {
  /** Called before it connects. */
  readonly onSocket?: (socket: Socket) => void
}

/** Connects; resolves once connected, rejects with the `connect_error`, or when it is hung up on for good. */
export async function connect(url: string, { onSocket, ...options }: ConnectOptions): Promise<Client> {
  const socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], ...options })
  onSocket?.(socket)
  const heard: Heard[] = []
  const watchers = new Set<() => void>()
  socket.onAny((name: string, data: unknown) => {
    if (name === 'connected') return // everybody is told it (COURSE-20), and tests say what they were told besides
    heard.push({ name, data })
    for (const look of watchers) look()
  })
  await new Promise<void>((resolve, reject) => {
    const refused = (error: Error): void => {
      socket.close()
      reject(error)
    }
    const hungUp = (): void => {
      // A refusal is told right after the end that it brings.
      if (socket.io.opts.reconnection === false) setImmediate(() => refused(new Error('hung up on')))
    }
    socket.once('connect_error', refused)
    socket.io.once('close', hungUp)
    socket.once('connect', () => {
      socket.off('connect_error', refused) // whoever comes back later tries again
      socket.io.off('close', hungUp)
      resolve()
    })
  })
  return {
    socket,
    heard,
    ask: (name, ...args) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ack of ${name} within ${PATIENCE_MS} ms`)), PATIENCE_MS)
        socket.emit(name, ...args, (...answer: unknown[]) => {
          clearTimeout(timer)
          resolve(answer)
        })
      }),
    told: (name, passes = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = heard.find((one) => one.name === name && passes(one.data))
          if (!found) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve(found.data)
        }
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(
            new Error(
              `not told ${name} within ${PATIENCE_MS} ms; ` +
                `heard ${heard.map((one) => one.name).join(', ') || 'nothing'}`,
            ),
          )
        }, PATIENCE_MS)
        watchers.add(look)
        look()
      }),
    all: (name) => heard.filter((one) => one.name === name).map(({ data }) => data),
    close: () => void socket.close(),
  }
}
