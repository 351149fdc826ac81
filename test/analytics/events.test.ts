import { describe, expect, test } from 'vitest'
import type { LessonEvent } from '../../machines/lesson/events.ts'
import { ANONYMOUS } from '../../machines/presence/anonymous.ts'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import { type LessonFacts, type MixpanelEvent, mixpanelEvent } from '../../src/analytics/events.ts'
import { pseudonyms } from '../../src/analytics/pseudonyms.ts'
import { pseudonym } from './world.ts'

const id = '5b2f1e4e-1111-5000-8000-000000000000'
const at = 1_700_000_000_000
const lesson: LessonFacts = { org: 'acme', teacherId: 'thea' }
const told = <E>(stream: string, event: E) => ({ id, stream, revision: 3, position: 7n, at: at + 5, event })
const ofLesson = (event: LessonEvent): MixpanelEvent | null =>
  mixpanelEvent(told('lesson-l1', event), lesson, pseudonym)
const ofPresence = (event: PresenceEvent): MixpanelEvent | null =>
  mixpanelEvent(told('presence-acme.ada', event), null, pseudonym)

describe('what Mixpanel is told', () => {
  test('[MIX-8] connect: somebody came online', () => {
    expect(ofPresence({ type: 'CameOnline', role: 'teacher', at })).toEqual({
      event: 'connect',
      properties: { time: at, distinct_id: pseudonym('acme.ada'), $insert_id: id, org_id: 'acme', role: 'teacher' },
    })
  })

  test('[MIX-8] reconnect: a participant came back to a live lesson', () => {
    expect(
      ofLesson({ type: 'ParticipantReconnected', participantId: 'ada', role: 'student', awayMs: 2_500, at }),
    ).toEqual({
      event: 'reconnect',
      properties: {
        time: at,
        distinct_id: pseudonym('acme.ada'),
        $insert_id: id,
        org_id: 'acme',
        lesson_id: 'l1',
        role: 'student',
        seconds_away: 2.5,
      },
    })
  })

  test('[MIX-8] lesson_started and lesson_ended: of the teacher whose lesson it is', () => {
    const properties = {
      time: at,
      distinct_id: pseudonym('acme.thea'),
      $insert_id: id,
      org_id: 'acme',
      lesson_id: 'l1',
    }
    expect(ofLesson({ type: 'LessonStarted', at, dueAt: at + 1 })).toEqual({ event: 'lesson_started', properties })
    expect(ofLesson({ type: 'LessonEnded', reason: 'overrun', by: null, at })).toEqual({
      event: 'lesson_ended',
      properties: { ...properties, reason: 'overrun' },
    })
  })

  test('[MIX-8] nothing else', () => {
    expect(ofPresence({ type: 'ConnectionLost', until: at })).toBeNull()
    expect(ofPresence({ type: 'CameBack', role: 'student' })).toBeNull()
    expect(ofPresence({ type: 'WentOffline', reason: 'left' })).toBeNull()
    expect(ofLesson({ type: 'ParticipantLeft', participantId: 'ada', reason: 'left', at })).toBeNull()
    expect(mixpanelEvent(told('chat-c1', { type: 'ChatOpened' }), null, pseudonym)).toBeNull()
  })
})

describe('a pseudonym', () => {
  test('[MIX-9] is always the same for the same person, and another one for everybody else', () => {
    expect(pseudonym('acme.ada')).toBe(pseudonym('acme.ada'))
    expect(new Set(['acme.ada', 'acme.bob', 'other.ada'].map(pseudonym)).size).toBe(3)
    expect(pseudonym('acme.ada')).toMatch(/^[0-9a-f]{32}$/)
  })

  test('[MIX-9] of a guest is the same for their connecting and for their coming back to a lesson', () => {
    const guest = 'anon-aaaaaaaaaaaaaaaaaaaaaaaa'
    const back = ofLesson({ type: 'ParticipantReconnected', participantId: guest, role: 'student', awayMs: 1, at })
    const connect = mixpanelEvent(
      told(`presence-${ANONYMOUS}.${guest}`, { type: 'CameOnline', role: 'student', at }),
      null,
      pseudonym,
    )
    expect(back?.properties.distinct_id).toBe(connect?.properties.distinct_id)
  })

  test('[MIX-9] is another one with another secret', () => {
    expect(pseudonyms('another secret of the tests, also thirty-two bytes')('acme.ada')).not.toBe(pseudonym('acme.ada'))
  })
})
