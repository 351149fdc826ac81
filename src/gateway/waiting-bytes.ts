/**
 * What was written to clients and has not been taken by them, in this process: one budget for HTTP, event streams and
 * sockets. Whoever writes says how much waits now, as often as that may have changed.
 */
export interface WaitingBytes {
  /** Somebody who is written to, who comes from this address. */
  reader(address: string): WaitingReader
  total(): number
}

export interface WaitingReader {
  /** So much waits for it now. False: it is too much, and the reader is to be cut off. */
  waits(bytes: number): boolean
  /** It is gone, and what waited for it. */
  leaves(): void
}

export interface WaitingBytesOptions {
  readonly perAddress: number
  readonly inAll: number
}

/**
 * Readers of whom less waits than this have a budget of their own, as large as that of the others: nobody who reads is
 * cut off for a neighbour who does not.
 */
const LITTLE_BYTES = 64 * 1024

/** One attacker's share is about what a node must bear of one (50 MB), all of them below what it has. */
const BUDGET: WaitingBytesOptions = { perAddress: 32 * 1024 * 1024, inAll: 256 * 1024 * 1024 }

export function waitingBytes(budget = BUDGET): WaitingBytes {
  const [little, much] = [tally(budget), tally(budget)]

  return {
    reader(address) {
      let counted = 0
      let its = little
      return {
        waits(bytes) {
          its.add(address, -counted)
          its = bytes <= LITTLE_BYTES ? little : much
          counted = bytes
          return its.add(address, bytes)
        },
        leaves() {
          its.add(address, -counted)
          counted = 0
        },
      }
    },
    total: () => little.total() + much.total(),
  }
}

function tally({ perAddress, inAll }: WaitingBytesOptions) {
  const byAddress = new Map<string, number>()
  let total = 0
  return {
    /** False: it is more than the budget now. */
    add(address: string, bytes: number): boolean {
      const its = (byAddress.get(address) ?? 0) + bytes
      if (its === 0) byAddress.delete(address)
      else byAddress.set(address, its)
      total += bytes
      return its <= perAddress && total <= inAll
    },
    total: () => total,
  }
}
