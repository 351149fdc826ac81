import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Lets the answer to an upgrade and the first packet behind it leave in one system call: Engine.IO writes them one
 * after the other, in one turn of the event loop unless something is waited for, and a class that comes at once pays
 * for both. It is the first to be told of an upgrade, so a connection that breaks meanwhile is caught here, too.
 */
export function corkUpgrades(http: HttpServer): void {
  http.prependListener('upgrade', (_, socket: Socket) => {
    // Node has taken its own listener off, and nobody else listens until the upgrade is answered: without one a reset
    // would end the process (CONN-16). The connection closes, and whoever waits for that hears it.
    socket.on('error', () => {})
    socket.cork()
    setImmediate(() => socket.uncork())
  })
}
