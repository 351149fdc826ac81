/** 31 characters that nobody mistakes for each other: no 0 and O, no 1, I and L. */
export const CODE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

/**
 * A code as somebody typed it (full-width letters, dashes of any kind, blanks, dots), in the form in which it is kept;
 * null when it cannot be one of `length` characters.
 */
export function normalCode(typed: string, length: number): string | null {
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
  return code.length === length && [...code].every((letter) => CODE_ALPHABET.includes(letter)) ? code : null
}
