import fc from 'fast-check'
import type { Desk } from 'lyceum-client/desk'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import type { OpeningBounds } from '../../src/contracts/support-chat/opening.ts'
import type { SupportChatWire } from '../../src/contracts/support-chat/wire.ts'
import type { Notice } from '../../src/delivery/notice.ts'
import { history, node, PEOPLE, reaches, type Step, steps } from './desk-world.ts'
import { honestClient, withoutPosition } from './honest.ts'

const staff = PEOPLE.filter(({ role }) => role !== 'visitor')

const few = (items: number) => ({ items, characters: Number.POSITIVE_INFINITY })
/** So small that nearly every opening is a page. */
const BOUNDS: OpeningBounds = { people: few(1), queue: { ...few(2), contents: 1, little: 0 }, own: few(1) }

interface InRoom {
  readonly room: { readonly id: string; readonly created_at: number }
}
const placeOf = ({ room }: InRoom): string => `${String(room.created_at).padStart(14, '0')}/${room.id}`
const upTo =
  <T>(until: string | null, place: (one: T) => string) =>
  (one: T): boolean =>
    until === null || place(one) <= until
const idOf = ({ id }: { readonly id: string }): string => id
const byId = <T extends { readonly id: string }>(people: readonly T[]): readonly T[] =>
  people.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** The end of the contents of each chat that is as long as what is held of them. */
const endsOf = ({ unclaimed_chats: all }: Desk, { unclaimed_chats: held }: Desk): Desk['unclaimed_chats'] =>
  all.map((chat, nth) => {
    const { length } = held[nth]?.contents ?? []
    return { ...chat, contents: chat.contents.slice(chat.contents.length - length) }
  })

/** Everything that there is, as far as `held` goes; nobody is told of their own coming. */
function cut(whole: Desk, held: Desk, me: string): Desk {
  const { online_users_until, online_visitors_until, unclaimed_until, own_until } = held
  return {
    ...whole,
    online_users_until,
    online_visitors_until,
    unclaimed_until,
    own_until,
    online_users: byId(whole.online_users.filter(upTo(online_users_until, idOf)).filter(({ id }) => id !== me)),
    online_visitors: byId(whole.online_visitors.filter(upTo(online_visitors_until, idOf))),
    unclaimed_chats: whole.unclaimed_chats.filter(upTo(unclaimed_until, placeOf)),
    own_chats: whole.own_chats.filter(upTo(own_until, placeOf)),
  }
}

test('[INIT-9] a list that is not whole is all that stands before its end, then and after each push', async () => {
  let pages = 0
  let briefs = 0
  await fc.assert(
    fc.asyncProperty(steps, async (todo) => {
      const desk = node()
      const opening = (who: (typeof staff)[number]) => honestClient(desk.opening(who.org, who.id, BOUNDS))
      const clients = staff.map((who) => ({ who, from: [opening(who)] }))
      for (const recorded of history(todo)) {
        const notices = await desk.hear(recorded)
        for (const { who, from } of clients) {
          for (const { to, name, data } of notices)
            if (reaches(to, who)) for (const client of from) client.apply({ name, data: structuredClone(data) })
          from.push(opening(who))
        }
      }
      for (const { who, from } of clients) {
        const whole = withoutPosition(desk.opening(who.org, who.id))
        for (const [nth, client] of from.entries()) {
          const held = client.held()
          if (held.unclaimed_until !== null) pages++
          const asHeld = { ...held, online_users: byId(held.online_users), online_visitors: byId(held.online_visitors) }
          const others = { ...asHeld, online_users: asHeld.online_users.filter(({ id }) => id !== who.id) }
          const expected = cut(whole, held, who.id)
          const ends = { ...expected, unclaimed_chats: endsOf(expected, held) }
          expect(others, `${who.id}, cut ${nth}`).toEqual(ends)
          for (const { contents, contents_total } of held.unclaimed_chats)
            if (contents.length < contents_total) briefs++
        }
      }
    }),
    { numRuns: 100 },
  )
  expect(pages).toBeGreaterThan(0) // or this would prove nothing
  expect(briefs).toBeGreaterThan(0)
})

test('[LIMIT-15] memory and clients hold the end of what waits; whoever claims is told all of it', async () => {
  const vera: Party = { id: 'vera', org: 'acme', role: 'visitor' }
  const ann: Party = { id: 'ann', org: 'acme', role: 'agent' }
  const step = (by: Party, type: string, n = 0): Step => {
    const visitor = { name: 'V', email: null, createdAt: 0, updatedAt: null }
    const content = { text: `${n} ${'x'.repeat(n % 7 === 0 ? 3_000 : 10)}` }
    return { category: 'chat', stream: 'chat-long', command: { type, by, at: n, visitor, content } as never }
  }
  const wrote = Array.from({ length: 300 }, (_, n) => step(vera, n === 0 ? 'OpenChat' : 'Write', n))
  const desk = node()
  const client = honestClient(desk.opening('acme', 'ann'))
  let told: readonly Notice[] = []
  for (const recorded of history([...wrote, step(ann, 'ClaimChat')])) {
    const waits = client.held().unclaimed_chats[0]
    expect(waits).toEqual(desk.opening('acme', 'ann').unclaimed_chats[0])
    expect(waits?.contents.length ?? 0).toBeLessThanOrEqual(100)
    expect(JSON.stringify(waits?.contents ?? []).length).toBeLessThan(33 * 1024)
    told = await desk.hear(recorded)
    for (const { to, name, data } of told) if (reaches(to, ann)) client.apply({ name, data: structuredClone(data) })
  }
  const claimed = told.find(({ name }) => name === 'own_chat_claimed')?.data as SupportChatWire['own_chat_claimed']
  expect(claimed.contents).toHaveLength(300)
  expect(claimed.contents_total).toBe(300)
})
