import { expect, test } from 'vitest'
import { type ClientCommand, decide } from '../../machines/client/decide.ts'
import type { ClientEvent } from '../../machines/client/events.ts'
import { type ClientState, clientMachine } from '../../machines/client/machine.ts'
import type { Party } from '../../machines/kernel.ts'
import { startActor } from '../../src/runtime/actor.ts'
import { scenario } from '../support/given.ts'

const by: Party = { id: 'ann', org: 'acme', role: 'student' }
const at = 1_700_000_000_000
const given = scenario<typeof clientMachine, ClientCommand, ClientEvent>(clientMachine, decide)
const asks = (type: ClientCommand['type'], subject = 'c'): ClientCommand => ({
  type,
  topic: 'course',
  subject,
  since: 3,
  by,
  at,
})
const recorded = (type: ClientEvent['type'], subject = 'c'): ClientEvent => ({
  type,
  topic: 'course',
  subject,
  since: 3,
  at,
})

test('[RESUME-8] what a client subscribes to is recorded once, and that it does so no more', () => {
  given().when(asks('Subscribe')).yields(recorded('Subscribed'))
  given(recorded('Subscribed')).when(asks('Subscribe')).yields()
  given(recorded('Subscribed')).when(asks('Unsubscribe')).yields(recorded('Unsubscribed'))
  given().when(asks('Unsubscribe')).yields()
  given(recorded('Subscribed'), recorded('Unsubscribed')).when(asks('Subscribe')).yields(recorded('Subscribed'))
})

test('[RESUME-8] the newest hundred are known', () => {
  const actor = startActor<ClientState>(clientMachine)
  for (let n = 0; n < 150; n++) actor.onEvent(recorded('Subscribed', `c${n}`))
  const { topics } = actor.state().context
  expect(topics.map(({ subject }) => subject)).toEqual(Array.from({ length: 100 }, (_, n) => `c${n + 50}`))
})
