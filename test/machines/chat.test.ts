import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import type { ChatCommand } from '../../machines/chat/commands.ts'
import { decide } from '../../machines/chat/decide.ts'
import type { ChatEvent } from '../../machines/chat/events.ts'
import { chatMachine } from '../../machines/chat/machine.ts'
import { type Party, Refusal } from '../../machines/kernel.ts'
import { scenario } from '../support/given.ts'

const given = scenario<typeof chatMachine, ChatCommand, ChatEvent>(chatMachine, decide)
const at = 1_700_000_000_000
const org = 'acme'
const vera: Party = { id: 'vera', org, role: 'visitor' }
const ann: Party = { id: 'ann', org, role: 'agent' }
const bob: Party = { id: 'bob', org, role: 'agent' }
const sue: Party = { id: 'sue', org, role: 'supervisor' }
const ada: Party = { id: 'ada', org, role: 'admin' }
const system: Party = { id: 'abandoned-chats', org, role: 'system' }
const visitor = { name: 'Vera', email: null, createdAt: at, updatedAt: null }
const content = { text: 'hi' }

const opened: ChatEvent = { type: 'ChatOpened', org, visitorId: 'vera', visitor, content }
const claimed: ChatEvent = { type: 'ChatClaimed', staffId: 'ann', role: 'agent' }
const takenOver: ChatEvent = { type: 'ChatTakenOver', staffId: 'sue', role: 'supervisor', from: 'ann' }
const closed: ChatEvent = { type: 'ChatClosed', reason: 'visitor-left' }
const write = (by: Party): ChatCommand => ({ type: 'Write', content, by, at })

describe('opening', () => {
  test('[CHAT-1] a visitor opens a chat with the first message', () => {
    given().when({ type: 'OpenChat', visitor, content, by: vera, at }).yields(opened)
  })
  test('[CHAT-2] an open chat is not opened again', () => {
    given(opened).when({ type: 'OpenChat', visitor, content, by: vera, at }).refuses('chat-already-open')
  })
  test('[CHAT-1] staff do not open chats', () => {
    given().when({ type: 'OpenChat', visitor, content, by: ann, at }).refuses('visitors-only')
  })
})

describe('claiming', () => {
  test('[CHAT-3] an agent claims an unclaimed chat', () => {
    given(opened).when({ type: 'ClaimChat', by: ann, at }).yields(claimed)
  })
  test('[CHAT-4] the second claimer is refused and told who won', () => {
    given(opened, claimed).when({ type: 'ClaimChat', by: bob, at }).refuses('chat-already-claimed', { staffId: 'ann' })
  })
  test('[CHAT-5] a claimer who repeats it is told yes and changes nothing', () => {
    given(opened, claimed).when({ type: 'ClaimChat', by: ann, at }).yields()
  })
  test('[CHAT-3] a visitor cannot claim', () => {
    given(opened).when({ type: 'ClaimChat', by: vera, at }).refuses('staff-only')
  })
})

describe('taking over', () => {
  test('[CHAT-9] a supervisor takes a chat over from an agent', () => {
    given(opened, claimed).when({ type: 'TakeOverChat', by: sue, at }).yields(takenOver)
  })
  test('[CHAT-10] nobody takes a chat over from their own rank or a higher one', () => {
    given(opened, claimed).when({ type: 'TakeOverChat', by: bob, at }).refuses('rank-too-low', { staffId: 'ann' })
    given(opened, claimed, takenOver)
      .when({ type: 'TakeOverChat', by: ann, at })
      .refuses('rank-too-low', { staffId: 'sue' })
    given(opened, claimed, takenOver)
      .when({ type: 'TakeOverChat', by: { ...sue, id: 'sid' }, at })
      .refuses('rank-too-low', { staffId: 'sue' })
  })
  test('[CHAT-9] an admin takes it over from the supervisor who took it over', () => {
    given(opened, claimed, takenOver)
      .when({ type: 'TakeOverChat', by: ada, at })
      .yields({ type: 'ChatTakenOver', staffId: 'ada', role: 'admin', from: 'sue' })
  })
  test('[CHAT-9] taking over one’s own chat changes nothing', () => {
    given(opened, claimed, takenOver).when({ type: 'TakeOverChat', by: sue, at }).yields()
  })
  test('[CHAT-9] an unclaimed chat is claimed, not taken over', () => {
    given(opened).when({ type: 'TakeOverChat', by: sue, at }).refuses('chat-not-claimed')
  })
})

describe('writing', () => {
  test('[CHAT-6] the visitor writes whether the chat is claimed or not', () => {
    given(opened).when(write(vera)).yields({ type: 'VisitorWrote', content })
    given(opened, claimed).when(write(vera)).yields({ type: 'VisitorWrote', content })
  })
  test('[CHAT-8] only the serving staff member writes to the visitor', () => {
    given(opened, claimed).when(write(ann)).yields({ type: 'StaffWrote', staffId: 'ann', content })
    given(opened, claimed).when(write(bob)).refuses('not-serving-chat', { staffId: 'ann' })
    given(opened, claimed, takenOver).when(write(ann)).refuses('not-serving-chat', { staffId: 'sue' })
    given(opened).when(write(ann)).refuses('chat-not-claimed')
  })
  test(
    '[LIMIT-9] a visitor fills the queue with at most 512 KiB, and writes on as soon as somebody has ' +
      'claimed the chat',
    () => {
      const full: ChatEvent = { ...opened, bytes: 512 * 1024 }
      given(full).when({ type: 'Write', content, bytes: 1, by: vera, at }).refuses('queue-full')
      given(full, claimed)
        .when({ type: 'Write', content, bytes: 1, by: vera, at })
        .yields({ type: 'VisitorWrote', content, bytes: 1 })
      given({ ...opened, bytes: 512 * 1024 - 1 })
        .when({ type: 'Write', content, bytes: 1, by: vera, at })
        .yields({ type: 'VisitorWrote', content, bytes: 1 })
    },
  )
  test('[LIMIT-9] a visitor fills the queue with at most 1,000 messages', () => {
    const wrote = Array.from({ length: 999 }, (): ChatEvent => ({ type: 'VisitorWrote', content }))
    given(opened, ...wrote)
      .when(write(vera))
      .refuses('queue-full')
    given(opened, ...wrote, claimed)
      .when(write(vera))
      .yields({ type: 'VisitorWrote', content })
  })
  test('[LIMIT-12] as the queue stands, a chat may take less, whose messages weigh 256 bytes more', () => {
    const more: ChatCommand = { type: 'Write', content, bytes: 100, mayWait: 1_000, by: vera, at }
    given({ ...opened, bytes: 388 })
      .when(more)
      .yields({ type: 'VisitorWrote', content, bytes: 100 })
    given({ ...opened, bytes: 389 })
      .when(more)
      .refuses('queue-full')
    given({ ...opened, bytes: 389 }, claimed)
      .when(more)
      .yields({ type: 'VisitorWrote', content, bytes: 100 })
    given().when({ type: 'OpenChat', visitor, content, mayWait: 0, by: vera, at }).refuses('queue-full')
    given(opened).when({ type: 'OpenChat', visitor, content, mayWait: 0, by: vera, at }).refuses('chat-already-open')
  })
  test('[LIMIT-13] a chat takes 16 MiB, or 100,000 messages, and then may still end', () => {
    const full: ChatEvent = { type: 'VisitorWrote', content, bytes: 16 * 1024 * 1024 }
    given(opened, claimed, full).when({ type: 'Write', content, bytes: 0, by: vera, at }).yields({
      type: 'VisitorWrote',
      content,
      bytes: 0,
    })
    for (const by of [vera, ann])
      given(opened, claimed, full).when({ type: 'Write', content, bytes: 1, by, at }).refuses('chat-full')
    given(opened, claimed, full)
      .when({ type: 'LeaveChat', by: vera, at })
      .yields({ type: 'ChatClosed', reason: 'visitor-left' })
    const context = { ...createActor(chatMachine).getSnapshot().context, org, visitorId: 'vera', staffId: 'ann' }
    const long = (messages: number) => chatMachine.resolveState({ value: 'claimed', context: { ...context, messages } })
    expect(decide(long(99_999), write(ann))).toEqual([{ type: 'StaffWrote', staffId: 'ann', content }])
    expect(decide(long(100_000), write(ann))).toEqual(new Refusal('chat-full'))
  })
  test('[CHAT-14] nothing is written in a closed chat', () => {
    given(opened, claimed, closed).when(write(vera)).refuses('chat-closed')
  })
})

describe('flagging', () => {
  test('[CHAT-11] any staff member sets the priority, also of a closed chat', () => {
    given(opened)
      .when({ type: 'FlagChat', severity: 3, by: bob, at })
      .yields({ type: 'ChatFlagged', severity: 3, staffId: 'bob' })
    given(opened, closed)
      .when({ type: 'FlagChat', severity: 3, by: bob, at })
      .yields({ type: 'ChatFlagged', severity: 3, staffId: 'bob' })
  })
  test('[CHAT-11] the priority that it has already changes nothing', () => {
    given(opened).when({ type: 'FlagChat', severity: 0, by: bob, at }).yields()
  })
  test('[CHAT-11] a visitor cannot', () => {
    given(opened).when({ type: 'FlagChat', severity: 3, by: vera, at }).refuses('staff-only')
  })
})

describe('leaving', () => {
  test('[CHAT-12] the serving staff member ends the chat', () => {
    given(opened, claimed).when({ type: 'LeaveChat', by: ann, at }).yields({ type: 'ChatClosed', reason: 'staff-left' })
    given(opened, claimed).when({ type: 'LeaveChat', by: bob, at }).refuses('not-serving-chat', { staffId: 'ann' })
  })
  test('[CHAT-13] the visitor ends the chat, claimed or not', () => {
    given(opened).when({ type: 'LeaveChat', by: vera, at }).yields(closed)
    given(opened, claimed).when({ type: 'LeaveChat', by: vera, at }).yields(closed)
  })
  test('[CHAT-15] a chat whose visitor or server is gone is closed, but not for somebody who was replaced', () => {
    const gone = (id: string): ChatCommand => ({ type: 'CloseAbandonedChat', gone: id, by: system, at })
    given(opened).when(gone('vera')).yields({ type: 'ChatClosed', reason: 'visitor-disconnected' })
    given(opened, claimed).when(gone('ann')).yields({ type: 'ChatClosed', reason: 'staff-disconnected' })
    given(opened, claimed, takenOver).when(gone('ann')).yields()
    given(opened, claimed, closed).when(gone('ann')).yields()
  })
})

test('[ORG-1] a chat of another organisation is answered like one that does not exist', () => {
  const foreign: Party = { ...ada, org: 'other' }
  for (const type of ['ClaimChat', 'TakeOverChat', 'LeaveChat'] as const) {
    given(opened, claimed).when({ type, by: foreign, at }).refuses('no-such-chat')
    given().when({ type, by: ada, at }).refuses('no-such-chat')
  }
  given(opened).when({ type: 'FlagChat', severity: 1, by: foreign, at }).refuses('no-such-chat')
})

test('[CHAT-16] decide never yields an event that the machine cannot take', () => {
  const party = fc.constantFrom<Party>(
    vera,
    { ...vera, id: 'vic' },
    ann,
    bob,
    sue,
    ada,
    { ...ada, org: 'other' },
    system,
    {
      ...vera,
      role: 'student',
    },
  )
  const command = fc.record({
    type: fc.constantFrom(
      'OpenChat',
      'Write',
      'ClaimChat',
      'TakeOverChat',
      'FlagChat',
      'LeaveChat',
      'CloseAbandonedChat',
    ),
    by: party,
    gone: fc.constantFrom('vera', 'ann', 'sue'),
    severity: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const actor = createActor(chatMachine).start()
      for (const one of commands) {
        const decision = decide(actor.getSnapshot(), { ...one, visitor, content, at } as ChatCommand)
        if (decision instanceof Refusal) continue
        for (const event of decision) {
          expect(actor.getSnapshot().can(event)).toBe(true)
          actor.send(event)
        }
      }
    }),
    { numRuns: 500 },
  )
})
