import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aliveKey, aliveKeyProblem, userKey } from '../../src/presence/alive-keys.ts'

/** Ids of what confuses most: everything that two ids and `_user_` between them could be cut into. */
const tricky = fc
  .array(fc.constantFrom('_user_', '_user', 'user_', 'user', '_', 'a', 'b', 'u', 'org_', 'r_', '-'), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join('').slice(0, 64))
const id = fc.oneof(tricky, fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/))
const taken = (org: string): boolean => aliveKeyProblem(org) === undefined

/** What any reader of the key may do: the first `_user_` ends the organisation. */
function parsed(key: string): readonly [org: string, id: string] {
  const text = key.slice('alive:org_'.length)
  const end = text.indexOf('_user_')
  return [text.slice(0, end), text.slice(end + '_user_'.length)]
}

test('[PRES-21] a key of alive names one organisation and one person, whatever they are called', () => {
  fc.assert(
    fc.property(id, id, (org, person) => {
      fc.pre(taken(org))
      expect(parsed(aliveKey(org, person))).toEqual([org, person])
    }),
    { numRuns: 20_000 },
  )
})

test('[PRES-21] all ways to cut one text in two: at most one of the organisations is taken', () => {
  fc.assert(
    fc.property(tricky, tricky, (one, other) => {
      const text = `${one}_user_${other}`
      const cuts = [...text].flatMap((_, i) =>
        i > 0 && text.startsWith('_user_', i) && i + 6 < text.length ? [text.slice(0, i)] : [],
      )
      expect(cuts.filter(taken).length).toBeLessThanOrEqual(1)
    }),
    { numRuns: 20_000 },
  )
})

test('[PRES-21] the rule is needed: each pair of these shares a key', () => {
  expect(aliveKey('a_user_b', 'c')).toBe(aliveKey('a', 'b_user_c'))
  expect(aliveKey('a_user', 'x')).toBe(aliveKey('a', 'user_x'))
  expect(['a_user_b', 'a_user'].map(taken)).toEqual([false, false])
})

test('[PRES-21] ordinary ids are taken, of people all', () => {
  expect(
    ['acme', 'user', 'users', 'user_1', 'my_users', 'org_a', 'a_use', '550e8400-e29b-41d4-a716-446655440000'].every(
      taken,
    ),
  ).toBe(true)
})

test('[PRES-22] no id names a key of ours or of the other kind: those have colons, ids have none', () => {
  fc.assert(
    fc.property(id, id, id, (org, person, other) => {
      expect(userKey(other)).not.toContain(':')
      expect(aliveKey(org, person)).toMatch(/^alive:/)
    }),
  )
})
