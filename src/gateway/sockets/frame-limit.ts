import type { Connection } from './connections.ts'

/**
 * From now on frames of this connection may be this large, over both transports. Everybody begins with what the server
 * takes from strangers; more is for those who have been let in where more is wanted.
 */
export function allowFrames(connection: Connection, maxBytes: number): void {
  const allow = (): void => {
    const { transport } = connection as unknown as Insides
    transport.maxHttpBufferSize = maxBytes
    const receiver = transport.socket?._receiver
    if (receiver) receiver._maxPayload = maxBytes
  }
  allow()
  connection.on('upgrade', allow)
}

/**
 * Where ws and Engine.IO keep their limits, which have no public name. `test/contracts/project-sockets.test.ts` shows
 * that they are there.
 */
interface Insides {
  readonly transport: {
    /** Of long polling. */
    maxHttpBufferSize?: number
    /** The ws socket, when the transport is a WebSocket. */
    readonly socket?: { readonly _receiver?: { _maxPayload: number } }
  }
}
