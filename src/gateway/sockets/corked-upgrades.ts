import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Lets the answer to an upgrade and the first packet behind it leave in one system call: Engine.IO writes them one
 * after the other, in one turn of the event loop unless something is waited for, and a class that comes at once pays
 * for both.
 */
export function corkUpgrades(http: HttpServer): void {
  http.prependListener('upgrade', (_, socket: Socket) => {
    socket.cork()
    setImmediate(() => socket.uncork())
  })
}
