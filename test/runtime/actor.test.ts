import { expect, test } from 'vitest'
import { createMachine, emit, log } from 'xstate'
import { type PresenceState, presenceMachine } from '../../machines/presence/machine.ts'
import { startActor } from '../../src/runtime/actor.ts'

const came = (at: number) => ({ type: 'CameOnline', role: 'student', at })

test('rooms of one machine do not see each other', () => {
  const one = startActor<PresenceState>(presenceMachine)
  const other = startActor<PresenceState>(presenceMachine)
  one.onEvent(came(1))
  expect(one.state()).toMatchObject({ value: 'online', context: { since: 1 } })
  expect(other.state()).toMatchObject({ value: 'offline', context: { since: null } })
  other.onEvent(came(2))
  expect(one.state().context.since).toBe(1)
})

test('a state that was seen does not change when the room moves on', () => {
  const room = startActor<PresenceState>(presenceMachine)
  const before = room.state()
  room.onEvent(came(1))
  expect(before).toMatchObject({ value: 'offline', context: { since: null } })
})

test('an event that the machine cannot take is a loud error, and changes nothing', () => {
  const room = startActor<PresenceState>(presenceMachine)
  expect(() => room.onEvent({ type: 'CameBack' })).toThrow(
    'machine presence cannot take the recorded event CameBack in "offline"',
  )
  expect(() => room.onEvent({ type: 'Unheard' })).toThrow('cannot take the recorded event Unheard')
  expect(room.state().value).toBe('offline')
})

test('what is kept of a room makes the same room again', () => {
  const room = startActor<PresenceState>(presenceMachine)
  room.onEvent(came(1))
  const again = startActor<PresenceState>(presenceMachine, JSON.parse(JSON.stringify(room.persist())))
  expect(again.state()).toMatchObject({ value: 'online', context: room.state().context })
  again.onEvent({ type: 'WentOffline', reason: 'left', since: 1, at: 5 } as { type: string })
  expect(again.state()).toMatchObject({ value: 'offline', context: { past: { since: 1, until: 5 } } })
})

test.each([log('heard'), emit({ type: 'Said' })])('a machine that does more than assign is a loud error', (action) => {
  const machine = createMachine({ id: 'loud', on: { Heard: { actions: action } } })
  expect(() => startActor(machine).onEvent({ type: 'Heard' })).toThrow('machine loud may only assign')
})
