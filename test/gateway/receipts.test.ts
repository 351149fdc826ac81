import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Socket } from 'socket.io'
import { beforeEach, expect, test } from 'vitest'
import { posOf } from '../../src/delivery/cursor.ts'
import { type Receipts, receipts } from '../../src/gateway/sockets/receipts.ts'
import type { Receipt, ReceiptStore } from '../../src/presence/receipt-store.ts'
import { manualClock } from '../support/clock.ts'

const VERA = 'acme.vera'
const cursorAt = (n: number): string => posOf({ id: '00000000-0000-4000-8000-000000000000', position: BigInt(n) })

/** What Engine.IO is to receipts: it sends pings, and says when a pong comes. */
class Wire extends EventEmitter {
  readonly protocol = 4
  readonly transport = {}
  sendPacket(type: string): void {
    this.emit('packetCreate', { type })
  }
  pong(): void {
    this.emit('packet', { type: 'pong' })
  }
}

function store(): ReceiptStore & { readonly all: Map<string, Receipt> } {
  const all = new Map<string, Receipt>()
  const nothing = (): void => {}
  return {
    all,
    put: (_, receipt) => void all.set(receipt.socket, { ...receipt, isLost: false }),
    lose: (_, socket) => {
      const its = all.get(socket)
      if (its) all.set(socket, { ...its, isLost: true })
    },
    drop: (_, socket) => void all.delete(socket),
    of: () => [...all.values()],
    ...{ keepOnly: nothing, forget: nothing, close: async () => {} },
  }
}

let kept: ReturnType<typeof store>
let its: Receipts
let now: number
/** Cursors of a part that the log has lost. */
let lost: string[]
beforeEach(() => {
  kept = store()
  now = 10
  lost = []
  const isKnown = async (cursor: string): Promise<boolean> => !lost.includes(cursor)
  its = receipts({ store: kept, clock: manualClock(), pos: () => cursorAt(now), cameAt: () => 0n, isKnown })
})

/** A connection of vera's; gives from where it is told what it has missed. */
async function comes(id: string, replaces: string | null = null) {
  const conn = new Wire()
  const socket = { id, conn } as unknown as Socket
  const after = await its.arrived(socket, VERA, 'person acme.vera', replaces)
  return { socket, conn, after }
}
const ends = ({ socket }: { readonly socket: Socket }): void => its.ended(socket, { meant: false, heardAt: 0 })

test('[MISSED-9] what was told of what was missed is known before all of it was told', async () => {
  const first = await comes('first')
  its.caughtUp(first.socket, false)
  ends(first)
  now = 50
  const second = await comes('second', 'first')
  expect(second.after).toBe(cursorAt(10))
  its.told(second.socket, cursorAt(20))
  await nextTurn()
  second.conn.pong()
  its.told(second.socket, cursorAt(30))
  await nextTurn()
  ends(second) // the line breaks before it was told the rest, and before its pong for this
  expect((await comes('third', 'second')).after).toBe(cursorAt(20))
})

test('[PAST-3] who comes in the place of a connection of a past that is lost is told how it stands', async () => {
  const first = await comes('first')
  its.caughtUp(first.socket, false)
  ends(first)
  lost = [cursorAt(10)]
  now = 5
  const second = await comes('second', 'first')
  expect(second.after).toBeNull()
  its.caughtUp(second.socket, false)
  ends(second)
  now = 7
  expect((await comes('third', 'second')).after).toBe(cursorAt(5)) // of what the log holds now
})

test('[MISSED-8] who is lost before they can have heard who they are now comes in the same place again', async () => {
  const first = await comes('first')
  its.caughtUp(first.socket, false)
  ends(first)
  now = 50
  const second = await comes('second', 'first')
  its.caughtUp(second.socket, true)
  await nextTurn()
  ends(second) // no pong came: it knows itself as the first one
  const third = await comes('third', 'first')
  expect(third.after).toBe(cursorAt(10))
  its.caughtUp(third.socket, true)
  await nextTurn()
  third.conn.pong()
  now = 60
  expect((await comes('fourth', 'first')).after).toBeNull() // somebody else's word: it has heard of another name since
  expect((await comes('fifth', 'third')).after).toBe(cursorAt(50))
})
