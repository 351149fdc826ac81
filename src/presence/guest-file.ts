import { readFile } from 'node:fs/promises'
import { openLineFile } from './line-file.ts'

/** Somebody who came without a token: the one that they were given, and what their connections have in common. */
export interface KeptGuest {
  readonly id: string
  readonly token: string
  readonly handshake: string
}

/** Outlives the process, so that its guests may come back as who they were. Writing never waits and never fails. */
export interface GuestStore {
  /** Those of the process before. */
  readonly found: readonly KeptGuest[]
  put(guest: KeptGuest): void
  drop(id: string): void
  close(): Promise<void>
}

/** The guests of one node, in lines `<id> <token> <handshake>`; an id alone: there is no such guest any more. */
export async function openGuestFile(path: string, onError: (error: unknown) => void): Promise<GuestStore> {
  const guests = readGuests(await readFile(path, 'utf8').catch(() => ''))
  const found = [...guests.values()]
  const cost = 'after a crash guests that come back are new people'
  const file = await openLineFile({ path, lines: () => [...guests.values()].map(lineOf), cost, onError })
  return {
    found,
    put(guest) {
      guests.set(guest.id, guest)
      file.add(lineOf(guest))
    },
    drop(id) {
      if (guests.delete(id)) file.add(id)
    },
    close: file.close,
  }
}

const lineOf = ({ id, token, handshake }: KeptGuest): string => `${id} ${token} ${handshake}`

/** A line that a crash has cut off is none. */
function readGuests(text: string): Map<string, KeptGuest> {
  const guests = new Map<string, KeptGuest>()
  for (const [, id = '', token, handshake] of text.matchAll(/^(\S+)(?: (\S+) (\S+))?\n/gm)) {
    if (token === undefined || handshake === undefined) guests.delete(id)
    else guests.set(id, { id, token, handshake })
  }
  return guests
}
