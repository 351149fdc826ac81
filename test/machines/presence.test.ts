import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import type { PresenceCommand } from '../../machines/presence/commands.ts'
import { decide } from '../../machines/presence/decide.ts'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import { presenceMachine } from '../../machines/presence/machine.ts'
import { replay, scenario } from '../support/given.ts'

const given = scenario(presenceMachine, decide)
const at = 1_700_000_000_000
const graceMs = 15_000
const until = at + graceMs
const anna: Party = { id: 'anna', org: 'acme', role: 'agent' }
const system: Party = { id: 'system', org: 'acme', role: 'system' }

const cameOnline: PresenceEvent = { type: 'CameOnline', role: 'agent', at }
const connectionLost: PresenceEvent = { type: 'ConnectionLost', until, at }
const cameBack: PresenceEvent = { type: 'CameBack', role: 'agent', at }
const left: PresenceEvent = { type: 'WentOffline', reason: 'left', since: at, at }
const graceOver: PresenceEvent = { type: 'WentOffline', reason: 'grace-over', since: at, at }

const arrive: PresenceCommand = { type: 'Arrive', role: 'agent', by: anna, at }
const close: PresenceCommand = { type: 'Leave', how: 'closed', graceMs, by: anna, at }
const lose: PresenceCommand = { type: 'Leave', how: 'lost', graceMs, by: system, at }
const expire: PresenceCommand = { type: 'Expire', until, by: system, at: until }

describe('coming', () => {
  test('somebody who arrives comes online', () => given().when(arrive).yields(cameOnline))
  test('somebody who is online arrives on one more socket, and nothing is recorded', () =>
    given(cameOnline).when(arrive).yields())
  test('somebody lost who arrives comes back', () => given(cameOnline, connectionLost).when(arrive).yields(cameBack))
  test('somebody who went offline can come online again', () =>
    given(cameOnline, left)
      .when(arrive)
      .yields({ ...cameOnline, at: at + 1 }))
  test('coming back goes on with the presence that was lost', () => {
    const later: PresenceCommand = { ...arrive, role: 'supervisor', at: at + 1_000 }
    expect(given(cameOnline, connectionLost).when(later).leads().context).toEqual({
      role: 'supervisor',
      since: at,
      until: null,
      lostAt: null,
      backAt: at + 1_000,
      past: null,
    })
  })
})

describe('coming back from a loss that was not noticed', () => {
  const back = (lostAt: number, backAt: number, backBefore: number | null = null): PresenceCommand => ({
    type: 'Return',
    role: 'agent',
    graceMs,
    lostAt,
    backAt,
    backBefore,
    by: anna,
    at: backAt,
  })
  const unnoticed: readonly PresenceEvent[] = [
    { type: 'ConnectionLost', at: at + 10, until: at + 10 + graceMs },
    { type: 'CameBack', role: 'agent', at: at + 50 },
  ]

  test('records the loss and the return', () => {
    given(cameOnline)
      .when(back(at + 10, at + 50))
      .yields(...unnoticed)
  })
  test('is recorded once, however many report it', () => {
    given(cameOnline, ...unnoticed)
      .when(back(at + 12, at + 50))
      .yields()
  })
  test('can happen again', () => {
    given(cameOnline, ...unnoticed)
      .when(back(at + 60, at + 80, at + 50))
      .yields(
        { type: 'ConnectionLost', at: at + 60, until: at + 60 + graceMs },
        { type: 'CameBack', role: 'agent', at: at + 80 },
      )
  })
  test('is nothing new for somebody whose loss was noticed, and nothing at all for somebody offline', () => {
    given(cameOnline, connectionLost)
      .when(back(at + 10, at + 50))
      .yields()
    given(cameOnline, left)
      .when(back(at + 10, at + 50))
      .yields()
  })
  test('a loss that seems older than the last return came right after it', () => {
    given(cameOnline, ...unnoticed)
      .when(back(at + 49, at + 90, at + 50))
      .yields(
        { type: 'ConnectionLost', at: at + 51, until: at + 51 + graceMs },
        { type: 'CameBack', role: 'agent', at: at + 90 },
      )
  })
  test('nobody was lost before they came', () => {
    given(cameOnline)
      .when(back(at - 500, at + 50))
      .yields({ type: 'ConnectionLost', at, until: at + graceMs }, { type: 'CameBack', role: 'agent', at: at + 50 })
  })
})

describe('going', () => {
  test('closing the last connection ends the presence', () => given(cameOnline).when(close).yields(left))
  test('closing within the grace ends the presence', () => given(cameOnline, connectionLost).when(close).yields(left))
  test('closing by the system is a disabling', () => {
    given(cameOnline)
      .when({ ...close, by: system })
      .yields({ type: 'WentOffline', reason: 'disabled', since: at, at })
  })
  test('[GRACE-9] a loss that is found late was when they were last seen, and the grace runs from now', () => {
    const late = { ...lose, at: at + 60_000, seenAt: at + 20_000 }
    given(cameOnline)
      .when(late)
      .yields({ type: 'ConnectionLost', at: at + 20_000, until: at + 60_000 + graceMs })
    given(cameOnline)
      .when({ ...late, graceMs: 0 })
      .yields({ type: 'WentOffline', reason: 'grace-over', since: at, at: at + 20_000 })
    given(cameOnline)
      .when({ ...late, seenAt: at - 5 })
      .yields({ type: 'ConnectionLost', at, until: at + 60_000 + graceMs })
  })
  test('a closing that could not be recorded at once was when it was', () => {
    given(cameOnline)
      .when({ ...close, at: at + 60_000, seenAt: at + 5 })
      .yields({ ...left, at: at + 5 } as PresenceEvent)
  })
  test('nobody can leave twice', () => given(cameOnline, left).when(close).yields())
  test('losing the last connection starts the grace', () => given(cameOnline).when(lose).yields(connectionLost))
  test('without a grace, losing the last connection ends the presence', () => {
    given(cameOnline)
      .when({ ...lose, graceMs: 0 })
      .yields(graceOver)
  })
  test('a second report of the loss does not lengthen the grace', () => {
    given(cameOnline, connectionLost)
      .when({ ...lose, at: at + 5_000 })
      .yields()
  })
  test('a loss reported after the end changes nothing', () => given(cameOnline, left).when(lose).yields())
})

describe('expiry', () => {
  test('the presence ends when the grace is over', () =>
    given(cameOnline, connectionLost).when(expire).yields(graceOver))
  test('an expiry of another loss changes nothing', () => {
    given(cameOnline, connectionLost)
      .when({ ...expire, until: until - 1 })
      .yields()
  })
  test('[CLOCK-2] the grace is over when it is, whatever the clock says then', () => {
    given(cameOnline, connectionLost)
      .when({ ...expire, at: at - 3_600_000 })
      .yields(graceOver)
  })
  test('an expiry of somebody who came back changes nothing', () =>
    given(cameOnline, connectionLost, cameBack).when(expire).yields())
  test('a presence that ended in its grace was over when the connection was lost', () => {
    expect(given(cameOnline, connectionLost).when(expire).leads().context).toMatchObject({
      since: null,
      past: { since: at, until: at, reason: 'grace-over' },
    })
  })
  test('what was recorded without times is taken as before', () => {
    const older: PresenceEvent[] = [cameOnline, { type: 'ConnectionLost', until }]
    given(...older)
      .when(expire)
      .yields({ type: 'WentOffline', reason: 'grace-over', since: at, at: until })
    given(...older, { type: 'CameBack', role: 'agent' }, { type: 'WentOffline', reason: 'left' })
      .when(arrive)
      .yields(cameOnline)
  })
  test('an expiry of somebody offline changes nothing', () => given(cameOnline, left).when(expire).yields())
})

test('what is decided can always happen, in any order of commands', () => {
  const command = fc.oneof(
    fc.constantFrom(arrive, { ...arrive, role: 'visitor' } as const),
    fc.constantFrom(close, { ...close, by: system }, lose, { ...lose, graceMs: 0 }),
    fc.constant(expire),
    fc.nat(40_000).chain((after) =>
      fc.constantFrom(null, at, at + 1).map((backBefore): PresenceCommand => {
        const back = { lostAt: at + after, backAt: at, backBefore }
        return { type: 'Return', role: 'agent', graceMs, ...back, by: anna, at }
      }),
    ),
  )
  const timed = fc
    .tuple(command, fc.nat(40_000))
    .map(([given, afterMs]): PresenceCommand => ({ ...given, at: at + afterMs }))
  fc.assert(
    fc.property(fc.array(timed, { maxLength: 20 }), (commands) => {
      const history: PresenceEvent[] = []
      for (const each of commands) {
        const decision = decide(replay(presenceMachine, history), each)
        if (!Array.isArray(decision)) throw new Error('presence never refuses')
        history.push(...decision)
      }
      replay(presenceMachine, history)
    }),
  )
})
