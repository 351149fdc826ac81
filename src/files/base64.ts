import { nextTurn } from '../slices.ts'

/** Text that was sent as base64 and is none; the message says what is wrong. */
export class BadBase64 extends Error {
  override readonly name = 'BadBase64'
}

/** Of text per turn of the event loop: a multiple of four. */
const PER_TURN = 256 * 1024

const DATA_URL = /^data:[^,]{0,200};base64,/

/** How many bytes it stands for, without decoding. */
export function decodedSize(text: string): number {
  const { from, length } = partOf(text)
  let digits = length
  for (let end = from + length - 1; digits > length - 2 && text[end] === '='; end--) digits--
  return Math.floor((digits * 3) / 4)
}

/**
 * Decodes base64 (RFC 4648, section 4, padding may be missing), bare or as a data URL, some in each turn of the event
 * loop. Throws BadBase64 at what is none.
 */
export async function* decodeBase64(text: string): AsyncGenerator<Uint8Array> {
  const { from, length } = partOf(text)
  const end = from + length
  for (let at = from; at < end; at += PER_TURN) {
    if (at > from) await nextTurn()
    const part = text.slice(at, Math.min(at + PER_TURN, end))
    const isLast = at + PER_TURN >= end
    if (!(isLast ? LAST : WHOLE).test(part))
      throw new BadBase64('must be base64 (A-Z a-z 0-9 + /), bare or as a data URL')
    yield Buffer.from(part, 'base64')
  }
}

const WHOLE = /^[A-Za-z0-9+/]*$/
/** Groups of four; the last one may be short, with its padding or without. */
const LAST = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

function partOf(text: string): { readonly from: number; readonly length: number } {
  const from = DATA_URL.exec(text.slice(0, 300))?.[0].length ?? 0
  return { from, length: text.length - from }
}
