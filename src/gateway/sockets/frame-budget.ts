/** Bytes of frames and requests that have begun to come and are not whole yet. */
export interface FrameBudget {
  /**
   * `bytes` are here of what one sender is sending; 0 = it is whole, or gone. False: there is no room for it, and its
   * sender is to be cut off.
   */
  note(sender: object, of: FrameSender, bytes: number): boolean
}

export interface FrameSender {
  readonly address: string
  /** Whether they have said who they are. */
  readonly isKnown: boolean
}

/** Less than this is nothing: a token and what stands around it. */
const SMALL_BYTES = 8 * 1024
const STRANGERS = { perAddress: 4 * 1024 * 1024, inAll: 32 * 1024 * 1024 }
const KNOWN = { perAddress: 32 * 1024 * 1024, inAll: 128 * 1024 * 1024 }

/**
 * Bounds what unfinished frames hold in memory, for each address and in all; strangers and those who are known have
 * separate rooms, so that strangers take none from them.
 */
export function frameBudget(): FrameBudget {
  const [strangers, known] = [room(STRANGERS), room(KNOWN)]
  const charged = new WeakMap<object, Charge>()

  return {
    note(sender, { address, isKnown }, bytes) {
      const before = charged.get(sender)
      if (!before && bytes <= SMALL_BYTES) return true
      const its = isKnown ? known : strangers
      if (before) before.room.add(before.address, -before.bytes)
      if (bytes <= SMALL_BYTES) {
        charged.delete(sender)
        return true
      }
      charged.set(sender, { room: its, address, bytes })
      return its.add(address, bytes)
    },
  }
}

interface Charge {
  readonly room: Room
  readonly address: string
  readonly bytes: number
}

interface Room {
  /** False: now there is more than may be. */
  add(address: string, bytes: number): boolean
}

function room(limits: { readonly perAddress: number; readonly inAll: number }): Room {
  const byAddress = new Map<string, number>()
  let all = 0
  return {
    add(address, bytes) {
      all += bytes
      const its = (byAddress.get(address) ?? 0) + bytes
      if (its > 0) byAddress.set(address, its)
      else byAddress.delete(address)
      return its <= limits.perAddress && all <= limits.inAll
    },
  }
}
