import { readFile } from 'node:fs/promises'
import { openLineFile } from './line-file.ts'
import type { Receipt, ReceiptStore } from './receipt-store.ts'
import { receiptIn, receiptText } from './receipt-text.ts'

/** Stands in place of a receipt: there is no such receipt any more. */
const DROPPED = '-'

/**
 * The receipts of one node, in memory and in a file with a line for each change: `<person> <socket> <receipt>`. A
 * machine that loses its power tells something twice. Every receipt that is found is one of a process that has ended.
 */
export async function openReceiptFile(path: string, onError: (error: unknown) => void): Promise<ReceiptStore> {
  const receipts = readReceipts(await readFile(path, 'utf8').catch(() => ''))
  const cost = 'after a crash clients that come back are told how it stands, not what they have missed'
  const file = await openLineFile({ path, lines: () => linesOf(receipts), cost, onError })

  const put = (person: string, receipt: Receipt): void => {
    const theirs = receipts.get(person) ?? new Map<string, Receipt>()
    receipts.set(person, theirs.set(receipt.socket, receipt))
  }

  const drop = (person: string, socket: string): void => {
    const theirs = receipts.get(person)
    if (!theirs?.delete(socket)) return
    if (theirs.size === 0) receipts.delete(person)
    file.add(lineOf(person, socket, DROPPED))
  }

  const forget = (person: string): void => {
    for (const { socket } of [...(receipts.get(person)?.values() ?? [])]) drop(person, socket)
  }

  return {
    put(person, receipt) {
      put(person, { ...receipt, isLost: false })
      file.add(lineOf(person, receipt.socket, receiptText(receipt)))
    },
    lose(person, socket) {
      const known = receipts.get(person)?.get(socket)
      if (known) put(person, { ...known, isLost: true }) // whatever is in the file counts as lost
    },
    drop,
    of: (person) => [...(receipts.get(person)?.values() ?? [])],
    keepOnly(isKept) {
      for (const person of [...receipts.keys()]) if (!isKept(person)) forget(person)
    },
    forget,
    close: file.close,
  }
}

const lineOf = (person: string, socket: string, text: string): string => `${person} ${socket} ${text}`

function* linesOf(receipts: ReadonlyMap<string, ReadonlyMap<string, Receipt>>): Generator<string> {
  for (const [person, theirs] of receipts)
    for (const receipt of theirs.values()) yield lineOf(person, receipt.socket, receiptText(receipt))
}

/** A line that a crash has cut off is none. */
function readReceipts(text: string): Map<string, Map<string, Receipt>> {
  const receipts = new Map<string, Map<string, Receipt>>()
  for (const [, person = '', socket = '', its = ''] of text.matchAll(/^(\S+) (\S+) (.+)\n/gm)) {
    const theirs = receipts.get(person) ?? new Map<string, Receipt>()
    const receipt = receiptIn(socket, its)
    if (receipt) theirs.set(socket, { ...receipt, isLost: true })
    else theirs.delete(socket)
    if (theirs.size === 0) receipts.delete(person)
    else receipts.set(person, theirs)
  }
  return receipts
}
