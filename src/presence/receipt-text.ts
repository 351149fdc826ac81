import type { Receipt } from './receipt-store.ts'

type Kept = Omit<Receipt, 'isLost'>

/** Stands before a connection that the client has named. */
const NAMED = '='
const GUESSED = '!'

/**
 * A receipt as it is stored beside the id of its socket: `<cursor>`, and behind it, each after a blank, `!` for one
 * that is guessed, the silent connections, and the named ones as `=<socket>`.
 */
export const receiptText = ({ cursor, silent, named, isGuessed }: Kept): string =>
  [cursor, ...(isGuessed ? [GUESSED] : []), ...silent, ...named.map((socket) => NAMED + socket)].join(' ')

/** Undefined for a text that is none. */
export function receiptIn(socket: string, text: string): Kept | undefined {
  const [cursor = '', ...words] = text.split(' ')
  if (!/^\d+$/.test(cursor)) return undefined
  return {
    socket,
    cursor,
    silent: words.filter((word) => word !== GUESSED && !word.startsWith(NAMED)),
    named: words.flatMap((word) => (word.startsWith(NAMED) ? [word.slice(NAMED.length)] : [])),
    isGuessed: words.includes(GUESSED),
  }
}
