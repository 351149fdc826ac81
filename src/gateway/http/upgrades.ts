import type { IncomingMessage } from 'node:http'

/** Where Socket.IO listens. */
const SOCKETS = '/socket.io/'

/** The request asks to become a WebSocket. */
export const asksForWebSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket'

/** We have nothing else to go over to: any other request that asks for it is answered as it is (RFC 9110, 7.8). */
export const mayUpgrade = (request: Pick<IncomingMessage, 'headers' | 'url'>): boolean =>
  asksForWebSocket(request) && (request.url ?? '').startsWith(SOCKETS)
