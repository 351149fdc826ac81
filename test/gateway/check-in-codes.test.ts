import { describe, expect, test } from 'vitest'
import { accepts, codeOf, newSecret, shownCode } from '../../src/contracts/attendance/check-in-codes.ts'
import { CODE_ALPHABET } from '../../src/contracts/shared/codes.ts'

/** Made by another program (Python: hmac, hashlib, struct) from the words of RFC 4226 5.3. */
const VECTORS = [
  ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', 0, 'CAVCKE'],
  ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', 1, 'Q5CZ4R'],
  ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', 88387200, 'CFVMPW'],
  ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', 4294967301, 'AXDMPF'],
  ['__________________________________________8', 1, '6C6ZCP'],
  ['__________________________________________8', 88387200, '87K4BY'],
  ['MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI', 0, 'QN7EMQ'],
  ['MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI', 4294967301, '7WZM64'],
] as const

const START = 1_700_000_000_000

describe('[ATT-11] a code', () => {
  test.each(VECTORS)('of %s in window %i is %s', (secret, window, code) => expect(codeOf(secret, window)).toBe(code))

  test('comes from the same number as the one of RFC 6238, appendix B, for SHA-256', () => {
    const secret = Buffer.from('12345678901234567890123456789012').toString('base64url')
    for (const [counter, decimal] of [
      [0x1, 46119246],
      [0x23523ec, 68084774],
      [0x23523ed, 67062674],
      [0x273ef07, 91819424],
      [0x3f940aa, 90698825],
      [0x27bc86aa, 77737706],
    ] as const) {
      const rest = [...codeOf(secret, counter)].reduce((sum, letter) => sum * 31 + CODE_ALPHABET.indexOf(letter), 0)
      // Of the 31 bits we tell the rest by 31^6, the document the rest by 10^8.
      const numbers = [0, 1, 2].map((k) => rest + k * 31 ** 6).filter((number) => number < 2 ** 31)
      expect(numbers.map((number) => number % 1e8)).toContain(decimal)
    }
  })

  test('changes every 20 seconds, on the full 20 seconds', () => {
    const secret = newSecret()
    const first = shownCode(secret, 1_700_000_000_000)
    expect(first.expiresAt).toBe(1_700_000_020_000)
    expect(shownCode(secret, 1_700_000_019_999)).toEqual(first)
    expect(shownCode(secret, 1_700_000_020_000).code).not.toBe(first.code)
  })

  test('is good in its own window and those beside it, and neither before nor after', () => {
    const secret = newSecret()
    const { code } = shownCode(secret, START)
    const good = [-40_000, -20_001, -20_000, -1, 0, 19_999, 20_000, 39_999, 40_000, 60_000].map((after) =>
      accepts(secret, code, START + after),
    )
    expect(good).toEqual([false, false, true, true, true, true, true, true, false, false])
  })

  test('is read however it was typed', () => {
    const secret = newSecret()
    const { code } = shownCode(secret, START)
    for (const typed of [
      code.toLowerCase(),
      ` ${code.slice(0, 3)} ${code.slice(3)} `,
      `${code.slice(0, 3)}-${code.slice(3)}`,
    ])
      expect(accepts(secret, typed, START)).toBe(true)
    for (const typed of ['', '??????', `${code}2`, code.slice(1), 'O0I1L!', '💥💥💥'])
      expect(accepts(secret, typed, START)).toBe(false)
  })

  test('of one session is nothing in another', () => {
    const [one, other] = [newSecret(), newSecret()]
    expect(one).toMatch(/^[\w-]{43}$/)
    expect(accepts(other, shownCode(one, START).code, START)).toBe(false)
  })
})
