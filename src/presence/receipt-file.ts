import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { fileOutage } from '../outage.ts'
import type { Receipt, ReceiptStore } from './receipt-store.ts'
import { receiptIn, receiptText } from './receipt-text.ts'

/** The file is written anew when it has so many lines more than receipts. */
const MAX_SPARE_LINES = 20_000
/** After a failure the whole file is written anew, at the earliest then. */
const RETRY_MS = 1_000
/** Stands in place of a receipt: there is no such receipt any more. */
const DROPPED = '-'

/**
 * The receipts of one node, in memory and in a file with a line for each change: `<person> <socket> <receipt>`. Lines
 * are written as soon as the ones before are, without waiting for the disk itself: they have to outlive the process,
 * and a machine that loses its power tells something twice. Every receipt that is found is one of a process that has
 * ended.
 */
export async function openReceiptFile(path: string, onError: (error: unknown) => void): Promise<ReceiptStore> {
  const receipts = readReceipts(await readFile(path, 'utf8').catch(() => ''))
  let count = 0
  for (const theirs of receipts.values()) count += theirs.size
  let file: FileHandle | undefined
  let lines = 0
  let waiting = ''
  let writing: Promise<void> | undefined
  let retryAt = 0
  const cost = 'after a crash clients that come back are told how it stands, not what they have missed'
  const trouble = fileOutage(path, cost, onError)

  /** A half-written file never takes the place of a whole one. */
  const rewrite = async (): Promise<void> => {
    waiting = ''
    let text = ''
    lines = 0
    for (const [person, theirs] of receipts)
      for (const receipt of theirs.values()) {
        text += lineOf(person, receipt.socket, receiptText(receipt))
        lines++
      }
    await file?.close()
    file = undefined
    const next = await open(`${path}.new`, 'w')
    try {
      await next.writeFile(text)
      await rename(`${path}.new`, path)
    } catch (error) {
      await next.close()
      throw error
    }
    file = next
  }

  const write = async (): Promise<void> => {
    while (waiting !== '') {
      if (!file || lines > count + MAX_SPARE_LINES) await rewrite()
      else {
        const text = waiting
        waiting = ''
        await file.appendFile(text)
      }
    }
  }

  /** What is known is in memory, and is written with a later change. */
  const failed = (error: unknown): void => {
    waiting = ''
    lines = Number.POSITIVE_INFINITY
    retryAt = performance.now() + RETRY_MS
    trouble.failed(error)
  }

  const add = (person: string, socket: string, text: string): void => {
    if (performance.now() < retryAt) return
    waiting += lineOf(person, socket, text)
    lines++
    writing ??= write()
      .then(trouble.worked, failed)
      .finally(() => (writing = undefined))
  }

  const put = (person: string, receipt: Receipt): void => {
    const theirs = receipts.get(person) ?? new Map<string, Receipt>()
    if (!theirs.has(receipt.socket)) count++
    receipts.set(person, theirs.set(receipt.socket, receipt))
  }

  const drop = (person: string, socket: string): void => {
    const theirs = receipts.get(person)
    if (!theirs?.delete(socket)) return
    count--
    if (theirs.size === 0) receipts.delete(person)
    add(person, socket, DROPPED)
  }

  const forget = (person: string): void => {
    for (const { socket } of [...(receipts.get(person)?.values() ?? [])]) drop(person, socket)
  }

  await rewrite().catch(failed)
  return {
    put(person, receipt) {
      put(person, { ...receipt, isLost: false })
      add(person, receipt.socket, receiptText(receipt))
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
    async close() {
      await writing
      await file?.close()
    },
  }
}

const lineOf = (person: string, socket: string, text: string): string => `${person} ${socket} ${text}\n`

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
