import type { Socket } from 'socket.io'

/** What is pushed to one connection while it is still being told the past. */
export interface HeldEvents {
  /** Emits in front of all that waits. */
  emit(name: string, ...args: readonly unknown[]): void
  /** What waits is never told here, but for answers: they are this connection's own. */
  drop(): void
  /** What waits goes out, the answers last, and nothing waits any more. Gives whether there was anything. */
  release(): boolean
  /** Nothing waits any more; what has waited is never told. */
  end(): void
}

/** Of socket.io-protocol 5: the first character of a packet. */
const EVENT = '2'
const DISCONNECT = '1'

const MAX_WAITING = 20_000
const MAX_ANSWERS = 1_000

/** One connection of Engine.IO may carry several namespaces; each of them is held by itself. */
const holding = new WeakMap<Client, Set<Hold>>()

/** What answers the calls of a connection; it is made when it goes out, with the cursor of then. */
const answers = new WeakMap<Socket, (emit: () => void) => void>()

/** Emits what answers a call of this connection: at once, or when nothing waits any more. */
export function emitAnswer(socket: Socket, emit: () => void): void {
  const wait = answers.get(socket)
  if (wait) wait(emit)
  else emit()
}

/** Takes a packet that may have to wait; false = it is none of its own. */
type Hold = (packets: unknown, options: object) => boolean

/**
 * From now on events for this connection wait until `release`, whether they are emitted or broadcast; answers to its
 * own calls do not.
 */
export function holdEvents(socket: Socket): HeldEvents {
  const client = socket.client as unknown as Client
  // As socket.io-protocol 5 begins a packet of this namespace.
  const namespace = socket.nsp.name === '/' ? '' : `${socket.nsp.name},`
  const isOwn = (text: string): boolean => (namespace ? text.startsWith(namespace, 1) : text[1] !== '/')
  let waiting: (readonly [packets: unknown, options: object])[] = []
  let waitingAnswers: (() => void)[] = []
  let isDirect = false

  const end = (): void => {
    waiting = []
    waitingAnswers = []
    letGo(client, hold)
    answers.delete(socket)
  }

  const release = (): boolean => {
    const [packets, own] = [waiting, waitingAnswers]
    end()
    for (const one of packets) client.writeToEngine(...one)
    for (const emit of own) emit()
    return packets.length + own.length > 0
  }

  const hold: Hold = (packets, options) => {
    const [first] = Array.isArray(packets) ? packets : [packets]
    if (isDirect || typeof first !== 'string' || !isOwn(first)) return false
    if (first[0] === DISCONNECT) release() // nothing comes after it
    if (first[0] !== EVENT) return false
    if (waiting.length < MAX_WAITING) waiting.push([packets, options])
    else socket.conn.close() // a client that has missed so much comes again, and is told from where it stopped
    return true
  }
  take(client, hold)
  answers.set(socket, (emit) => {
    if (waitingAnswers.length < MAX_ANSWERS) waitingAnswers.push(emit)
    else socket.conn.close()
  })

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
    end,
  }
}

function take(client: Client, hold: Hold): void {
  const holds = holding.get(client) ?? new Set()
  if (holds.size === 0) {
    const write = client.writeToEngine.bind(client)
    client.writeToEngine = (packets, options) => {
      for (const one of holds) if (one(packets, options)) return
      write(packets, options)
    }
  }
  holding.set(client, holds.add(hold))
}

function letGo(client: Client, hold: Hold): void {
  const holds = holding.get(client)
  if (!holds?.delete(hold) || holds.size > 0) return
  delete (client as Partial<Client>).writeToEngine // back to the method of its class
  holding.delete(client)
}

/** What every packet to a client passes, which Socket.IO has no public name for. */
interface Client {
  writeToEngine(packets: unknown, options: object): void
}
