import type { Receipt } from './receipt-store.ts'

type Kept = Omit<Receipt, 'isLost'>

/** A receipt as it is stored beside the id of its socket: `<cursor>`, or `<cursor> <socket>,<socket>…`. */
export const receiptText = ({ cursor, silent }: Kept): string =>
  silent.length === 0 ? cursor : `${cursor} ${silent.join(',')}`

/** Undefined for a text that is none. */
export function receiptIn(socket: string, text: string): Kept | undefined {
  const [, cursor, silent] = /^(\d+)(?: (\S+))?$/.exec(text) ?? []
  return cursor === undefined ? undefined : { socket, cursor, silent: silent?.split(',') ?? [] }
}
