import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { keepNewest } from '../../keep-newest.ts'
import { CODE_ALPHABET, normalCode } from '../shared/codes.ts'

const WINDOW_MS = 20_000
const LENGTH = 6

/** What a session's codes are made from: 32 random bytes as base64url. It is in the log and goes nowhere else. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** The code that a session's screen shows at `now`, and when a new one replaces it. */
export function shownCode(secret: string, now: number): { readonly code: string; readonly expiresAt: number } {
  const window = Math.floor(now / WINDOW_MS)
  return { code: codeOf(secret, window), expiresAt: (window + 1) * WINDOW_MS }
}

/**
 * True for the code of the window in which `now` lies, for the one before (what somebody began to type is still good
 * when the screen changes, and useless 40 seconds after it first stood there) and for the one after: the screen may
 * have it from another node, whose clock is ahead by up to 20 seconds. `now` is the server's clock; a student's clock
 * is not asked.
 */
export function accepts(secret: string, typed: string, now: number): boolean {
  const code = Buffer.from(normalCode(typed, LENGTH) ?? '?'.repeat(LENGTH)) // no code has a "?"
  const window = Math.floor(now / WINDOW_MS)
  // All are always compared, each in constant time: how long it takes says nothing about how much was right.
  const matches = [window, window - 1, window + 1].map((one) => timingSafeEqual(code, Buffer.from(known(secret, one))))
  return matches.includes(true)
}

/** A class that checks in at once asks for the same three codes thousands of times. */
const KNOWN = 1_000
const codes = new Map<string, string>()

function known(secret: string, window: number): string {
  const name = `${secret} ${window}`
  const before = codes.get(name)
  if (before !== undefined) return before
  const code = codeOf(secret, window)
  codes.set(name, code)
  keepNewest(codes, KNOWN)
  return code
}

/**
 * HMAC-SHA256 of the window's number, truncated to 31 bits as RFC 4226 (5.3) and RFC 6238 do it, in 6 digits to the
 * base of 31. Of the 31^6 = 8.9e8 codes those below 2^31 mod 31^6 come up three times in 2^31, the others twice:
 * whoever knows that guesses right once in 7.2e8.
 */
export function codeOf(secret: string, window: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(window))
  const digest = createHmac('sha256', Buffer.from(secret, 'base64url')).update(counter).digest()
  let number = digest.readUInt32BE((digest.at(-1) ?? 0) & 0xf) & 0x7fffffff
  let code = ''
  for (let place = 0; place < LENGTH; place++) {
    code = CODE_ALPHABET.charAt(number % CODE_ALPHABET.length) + code
    number = Math.floor(number / CODE_ALPHABET.length)
  }
  return code
}
