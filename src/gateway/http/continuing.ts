import type { Server } from 'node:http'

/**
 * Whoever asks before they send a body (`Expect: 100-continue`; RFC 9110, 10.1.1) is told to go on when somebody wants
 * to read it, and not before: who is refused need not send it at all. Nothing waits for it then, the connection ends.
 */
export function continueWhenWanted(http: Server): void {
  http.on('checkContinue', (request, response) => {
    response.setHeader('Connection', 'close')
    const listens = (event: string | symbol): void => {
      if (event !== 'data' && event !== 'readable') return
      request.off('newListener', listens)
      if (response.headersSent) return
      response.removeHeader('Connection')
      response.writeContinue()
    }
    request.on('newListener', listens)
    http.emit('request', request, response)
  })
}
