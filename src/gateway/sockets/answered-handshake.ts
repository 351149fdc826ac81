import type { IncomingMessage, ServerResponse } from 'node:http'
import { asksForWebSocket } from '../http/upgrades.ts'

const REASONS = {
  401: 'Unauthorized',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
} as const
/** Whoever is put off comes again by then. */
const RETRY_AFTER_S = 2

/** Answers the HTTP request of a handshake instead of letting it in. */
export function answerHandshake(
  request: IncomingMessage,
  response: ServerResponse,
  status: keyof typeof REASONS,
  error: { readonly code: string; readonly message: string },
  retryAfterS = RETRY_AFTER_S,
): void {
  const body = JSON.stringify({ error })
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...(status === 429 || status === 503 ? { 'Retry-After': String(retryAfterS) } : {}),
  }
  if (!asksForWebSocket(request)) {
    response.writeHead(status, headers).end(body)
    return
  }
  // For an upgrade Engine.IO hands over a response that can only hang up, so the answer is written to the connection.
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  request.socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('')}\r\n${body}`)
}
