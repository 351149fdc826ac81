import type { ChatCommand, Colleague } from '../../../machines/chat/commands.ts'
import { isStaff, type Party, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Call } from '../../runtime/answer.ts'

/** A chat given to somebody: `TransferChat` by whoever serves it, `AssignChat` by somebody who supervises. */
export type Handing = Extract<ChatCommand, { readonly to: Colleague }>['type']

export interface HandingOnParts extends Pick<Node, 'online'> {
  readonly entities: Pick<Node['entities'], 'ask' | 'remembered'>
}

/** Gives a chat to a colleague who is here. */
export type HandOn = (type: Handing, ask: Asked, call: Call) => Promise<Outcome>

export interface Asked {
  readonly room: string
  readonly to: string
  readonly by: Party
  readonly at: number
}

/**
 * Staff of the organisation who are here may be given a chat. Somebody who goes at that very moment is found by the
 * policy that looks after abandoned chats.
 */
export const handingOn =
  ({ online, entities }: HandingOnParts): HandOn =>
  async (type, { room, to, by, at }, call) => {
    const found = colleague(to, by.org)
    if (typeof found !== 'string')
      return { about: room, answer: await entities.ask('chat', room, { type, to: found, by, at }, call) }
    // A call that is repeated after a lost answer has its first one, whoever has gone home meanwhile.
    const again = { type, to: { id: to, role: 'agent' }, by, at } as const
    return {
      about: room,
      answer: (await entities.remembered('chat', room, again, call)) ?? refuse(found, { staffId: to }),
    }

    function colleague(id: string, org: string): Colleague | 'colleague-not-here' | 'not-a-colleague' {
      const row = online.get(personName({ org, id }))
      if (!row) return 'colleague-not-here'
      return isStaff(row.role) ? { id, role: row.role } : 'not-a-colleague'
    }
  }
