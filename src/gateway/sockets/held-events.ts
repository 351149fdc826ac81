import type { Socket } from 'socket.io'

/** What is pushed to one connection while it is still being told the past. */
export interface HeldEvents {
  /** Emits in front of all that waits. */
  emit(name: string, ...args: readonly unknown[]): void
  /** What waits is never told here. */
  drop(): void
  /** What waits goes out, and nothing waits any more. Gives whether there was anything. */
  release(): boolean
}

/** Of socket.io-protocol 5: the first character of a packet. */
const EVENT = '2'
const DISCONNECT = '1'

const MAX_WAITING = 20_000

/**
 * From now on events for this connection wait until `release`, whether they are emitted or broadcast; answers to its
 * own calls do not.
 */
export function holdEvents(socket: Socket): HeldEvents {
  const client = socket.client as unknown as Client
  const write = client.writeToEngine.bind(client)
  let waiting: (readonly [packets: unknown, options: object])[] = []
  let isDirect = false

  const release = (): boolean => {
    // Back to the method of its class.
    delete (client as Partial<Client>).writeToEngine
    const all = waiting
    waiting = []
    for (const [packets, options] of all) write(packets, options)
    return all.length > 0
  }

  client.writeToEngine = (packets, options) => {
    const [first] = Array.isArray(packets) ? packets : [packets]
    const type = typeof first === 'string' ? first[0] : undefined
    if (type === DISCONNECT) release() // nothing comes after it
    if (isDirect || type !== EVENT) write(packets, options)
    else if (waiting.length < MAX_WAITING) waiting.push([packets, options])
    else socket.conn.close() // a client that has missed so much comes again, and is told from where it stopped
  }

  return {
    emit(name, ...args) {
      isDirect = true
      socket.emit(name, ...args)
      isDirect = false
    },
    drop() {
      waiting = []
    },
    release,
  }
}

/** What every packet to a client passes, which Socket.IO has no public name for. */
interface Client {
  writeToEngine(packets: unknown, options: object): void
}
