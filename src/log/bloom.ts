/** Says of a stream that it is surely not there, or may be (one in a hundred is not): 10 bits a stream. */
export interface Bloom {
  readonly bytes: Buffer
  mayHave(hash: string): boolean
}

const BITS_EACH = 10
const PROBES = 6

export const bloomSize = (streams: number): number => Math.max(8, Math.ceil((streams * BITS_EACH) / 8))

export const bloomOf = (bytes: Buffer): Bloom => ({
  bytes,
  mayHave(hash) {
    const step = numberIn(hash, 4)
    for (let n = 0, at = numberIn(hash, 0); n < PROBES; n++, at += step) {
      const bit = at % (bytes.length * 8)
      if (((bytes[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
    }
    return true
  },
})

export function addTo(bytes: Buffer, hash: string): void {
  const step = numberIn(hash, 4)
  for (let n = 0, at = numberIn(hash, 0); n < PROBES; n++, at += step) {
    const bit = at % (bytes.length * 8)
    bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }
}

/** Of 8 characters of a byte each. */
const numberIn = (hash: string, from: number): number =>
  hash.charCodeAt(from) * 2 ** 24 +
  hash.charCodeAt(from + 1) * 2 ** 16 +
  hash.charCodeAt(from + 2) * 2 ** 8 +
  hash.charCodeAt(from + 3)
