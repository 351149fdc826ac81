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
 * As much as each reader may have whatever others do: nobody who reads is cut off for a neighbour who does not, and a
 * hundred of them are no more than a large answer.
 */
const FREE_BYTES = 64 * 1024

/** One attacker's share is well below what a node must bear of one (50 MB), all of them below what it has. */
const BUDGET: WaitingBytesOptions = { perAddress: 32 * 1024 * 1024, inAll: 256 * 1024 * 1024 }

export function waitingBytes({ perAddress, inAll } = BUDGET): WaitingBytes {
  const byAddress = new Map<string, number>()
  let total = 0

  const add = (address: string, bytes: number): number => {
    const now = (byAddress.get(address) ?? 0) + bytes
    if (now === 0) byAddress.delete(address)
    else byAddress.set(address, now)
    total += bytes
    return now
  }

  return {
    reader(address) {
      let counted = 0
      return {
        waits(bytes) {
          const its = add(address, bytes - counted)
          counted = bytes
          return bytes <= FREE_BYTES || (its <= perAddress && total <= inAll)
        },
        leaves() {
          add(address, -counted)
          counted = 0
        },
      }
    },
    total: () => total,
  }
}
