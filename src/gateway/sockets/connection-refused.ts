/** Ends a connection attempt: `connect_error` with `err.data` {code, message}; the codes are HTTP's. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
  readonly data: { readonly code: number; readonly message: string }
  constructor(code: number, message: string) {
    super(message)
    this.data = { code, message }
  }
}
