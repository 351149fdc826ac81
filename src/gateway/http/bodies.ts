import type { IncomingMessage } from 'node:http'
import { Refusal, refuse } from '../../../machines/kernel.ts'

/** Reads the bodies of requests, within bounds. */
export interface Bodies {
  /**
   * All of it as text. Refusals: `too-large`, `body-too-slow`, `body-cut-off`, and `too-much-under-way`,
   * by everybody or by this address. Whoever is refused may still be sending: their connection is of no further use.
   */
  read(request: IncomingMessage, address: string, mostBytes: number): Promise<string | Refusal>
}

export interface BodiesOptions {
  /** Bytes that have come of bodies that are not complete. */
  readonly perAddress: number
  readonly inAll: number
  readonly withinMs: number
}

/** A text and what is read from it are a few times as large, so this is what one address may make us hold. */
const BOUNDS: BodiesOptions = { perAddress: 8 * 1024 * 1024, inAll: 64 * 1024 * 1024, withinMs: 30_000 }

/** What a piece costs besides what is in it: who sends each byte by itself is to gain nothing. */
const PIECE_BYTES = 256

export function bodies({ perAddress, inAll, withinMs } = BOUNDS): Bodies {
  const byAddress = new Map<string, number>()
  let total = 0

  const add = (address: string, bytes: number): boolean => {
    const its = (byAddress.get(address) ?? 0) + bytes
    if (its === 0) byAddress.delete(address)
    else byAddress.set(address, its)
    total += bytes
    return its <= perAddress && total <= inAll
  }

  return {
    async read(request, address, mostBytes) {
      const tooLarge = refuse('too-large', { limit: String(mostBytes) })
      if (Number(request.headers['content-length'] ?? 0) > mostBytes) return tooLarge
      const chunks: Buffer[] = []
      let bytes = 0
      const read = await within(withinMs, request, (chunk) => {
        bytes += chunk.length
        chunks.push(chunk)
        const fits = add(address, chunk.length + PIECE_BYTES)
        if (bytes > mostBytes) return tooLarge
        return fits ? null : refuse('too-much-under-way')
      })
      add(address, -bytes - chunks.length * PIECE_BYTES)
      return read ?? new TextDecoder().decode(Buffer.concat(chunks))
    },
  }
}

/** Null when all has come; or why no more is taken: the refusal of `take`, too late, or cut off. */
function within(
  ms: number,
  request: IncomingMessage,
  take: (chunk: Buffer) => Refusal | null,
): Promise<Refusal | null> {
  return new Promise((resolve) => {
    const settle = (result: Refusal | null): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', cutOff).off('close', cutOff)
      request.on('error', ignored) // of what is sent and not read any more
      if (result instanceof Refusal) request.pause()
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      const no = take(chunk)
      if (no) settle(no)
    }
    const onEnd = (): void => settle(null)
    const cutOff = (): void => settle(request.readableEnded ? null : refuse('body-cut-off'))
    const timer = setTimeout(() => settle(refuse('body-too-slow', { seconds: String(ms / 1000) })), ms)
    request.on('data', onData).on('end', onEnd).on('error', cutOff).on('close', cutOff)
    if (request.destroyed) cutOff()
  })
}

const ignored = (): void => {}
