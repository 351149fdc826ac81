import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A line to the server that can break. */
export interface Line {
  /** What is at its other end. */
  readonly url: string
  /** Breaks every connection on it, as a network does: no good-bye is sent. */
  cut(): void
  close(): void
}

export async function openLine(to: string): Promise<Line> {
  const { hostname: host, port } = new URL(to)
  const ends = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect({ host, port: Number(port || 80) })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one)
      one.on('error', () => {}) // it closes
      one.on('close', () => {
        ends.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const cut = (): void => {
    for (const end of ends) end.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close() {
      server.close()
      cut()
    },
  }
}
