import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network between clients and a server, with the faults of real ones. */
export interface Line {
  /** Where clients connect in place of the server. */
  readonly url: string
  /** Every connection ends, for both sides. */
  cut(): void
  /** Every connection ends for the clients; the server hears nothing of it, now or later. */
  drop(): void
  /** Every connection ends, and nobody gets through until it is mended. */
  down(): void
  /** From now on nothing passes, and nobody is told: connections go on as half open ones. */
  freeze(): void
  /**
   * What is new passes again. Connections that were frozen stay so for ever, as after a change of network; with
   * `thaw` they go on, and everything arrives late.
   */
  mend(how?: 'thaw'): void
  /** From now on it leads to another server. */
  leadTo(url: string): void
  close(): Promise<void>
}

export async function openLine(to: string): Promise<Line> {
  let target = new URL(to)
  let isFrozen = false
  let isDown = false
  const pairs = new Set<Pair>()
  /** Ends that the server still believes in. */
  const abandoned = new Set<Socket>()
  const server = createServer((near) => {
    if (isDown) return void near.resetAndDestroy()
    const far = connect({ host: target.hostname, port: Number(target.port) })
    const pair = { near, far }
    pairs.add(pair)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {}) // it closes
      one.on('close', () => {
        if (pairs.delete(pair)) other.destroy()
        abandoned.delete(one)
      })
      one.pipe(other)
    }
    if (isFrozen) still(pair)
  })
  const still = ({ near, far }: Pair): void => {
    near.unpipe(far).pause()
    far.unpipe(near).pause()
  }
  const cut = (): void => {
    for (const { near, far } of [...pairs]) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    down() {
      isDown = true
      cut()
    },
    drop() {
      for (const pair of [...pairs]) {
        still(pair)
        pairs.delete(pair)
        abandoned.add(pair.far)
        pair.near.resetAndDestroy()
      }
    },
    freeze() {
      isFrozen = true
      for (const pair of pairs) still(pair)
    },
    mend(how) {
      isFrozen = false
      isDown = false
      if (how !== 'thaw') return
      for (const { near, far } of pairs) {
        near.pipe(far)
        far.pipe(near)
      }
    },
    leadTo(url) {
      target = new URL(url)
    },
    async close() {
      for (const { near, far } of [...pairs]) {
        near.destroy()
        far.destroy()
      }
      for (const far of abandoned) far.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
}
