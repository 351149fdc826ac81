import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens and resolves to the address that clients use. Rejects with a sentence for people. */
export function listen(http: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there: stop it, or set PORT' : (error.code ?? error.message)
      reject(new Error(`cannot listen on ${host}:${port}: ${why}`))
    })
    http.listen(port, host, () => {
      const { address, port: bound, family } = http.address() as AddressInfo // a TCP server that listens has one
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`)
    })
  })
}
