import { isIP } from 'node:net'
import { credentials } from '@grpc/grpc-js'

/** What grpc-js 1.14.7 connects with, as far as we touch it. */
interface Connector {
  readonly connectionOptions: { servername?: string }
}
interface SecureCredentials {
  _createSecureConnector(...parts: unknown[]): Connector
}

let isMended = false

/**
 * grpc-js 1.14.7 names the host to the server (SNI) even when it is an IP address, which TLS does not allow (RFC 6066)
 * and Node 26 refuses. Without a name the certificate is still compared with the address that is connected to. All
 * channels of the process are mended: those on which the client asks for a cluster's members are out of reach.
 */
export function allowAddresses(): void {
  if (isMended) return
  isMended = true
  const secure: SecureCredentials = Object.getPrototypeOf(credentials.createSsl())
  const create = secure._createSecureConnector
  secure._createSecureConnector = function (this: unknown, ...parts) {
    const connector = create.apply(this, parts)
    if (isIP(connector.connectionOptions.servername ?? '') !== 0) delete connector.connectionOptions.servername
    return connector
  }
}
