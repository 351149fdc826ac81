import type { Chat } from 'lyceum-client/chat'
import { type Desk, deskOf } from 'lyceum-client/desk'
import { State } from 'lyceum-client/state'
import type { StaffInit, VisitorInit } from '../../src/contracts/support-chat/wire.ts'

/** One push as it came. */
interface Push {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: a client reads what it was promised
  readonly data: any
}

export const withoutPosition: (init: StaffInit) => Desk = deskOf

/** What the typed client holds of a desk that began with this. */
export function honestClient(init: StaffInit): { apply(push: Push): void; held(): Desk } {
  const { state, apply } = began('staff_init', init)
  return { apply, held: () => state.held.desk as Desk } // it was told
}

/** What a visitor's typed client holds that began with this. */
export function honestVisitor(init: VisitorInit): { apply(push: Push): void; held(): Chat } {
  const { state, apply } = began('visitor_init', init)
  return { apply, held: () => state.held.chat as Chat } // it was told
}

function began(name: string, init: StaffInit | VisitorInit) {
  const state = new State()
  const apply = (push: Push): void => void state.apply(push.name, push.data)
  apply({ name, data: init })
  return { state, apply }
}
