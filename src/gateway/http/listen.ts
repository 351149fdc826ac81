import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Connections that the kernel may hold until this process takes them (Node's 511 are fewer than a school that comes
 * back at once: what is above it is dropped, and some of it reset). The kernel's own limit, `net.core.somaxconn`,
 * counts, too.
 */
const BACKLOG = 4_096

/** Listens and resolves to the address that clients use. Rejects with a sentence for people. */
export function listen(http: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`))
    })
    http.listen({ port, host, backlog: BACKLOG }, () => {
      const { address, port: bound, family } = http.address() as AddressInfo // a TCP server that listens has one
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`)
    })
  })
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program listens there: stop it, or set PORT'
    case 'EACCES':
      return 'this process may not take that port: set PORT to one from 1024 on'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'this machine has no such address: set HOST to one of its own (127.0.0.1, 0.0.0.0 for all)'
    default:
      return code ?? message
  }
}
