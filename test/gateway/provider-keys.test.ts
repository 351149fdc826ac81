import { errors, exportJWK, generateKeyPair, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import { expect, test } from 'vitest'
import { KeysUnavailable, providerKeys } from '../../src/gateway/auth/provider-keys.ts'
import { manualClock } from '../support/clock.ts'

const HOUR_MS = 3_600_000
const pair = await generateKeyPair('ES256')
const jwk = async (kid: string) => ({ ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' })

/** A provider whose keys the test sets; null = it is away. */
async function provider(...kids: string[]) {
  const clock = manualClock()
  const state = { set: { keys: await Promise.all(kids.map(jwk)) } as JSONWebKeySet | null, asked: 0 }
  const keys = providerKeys({
    async ask() {
      state.asked++
      if (!state.set) throw new Error('away')
      return state.set
    },
    clock,
    elapsed: clock.now,
  })
  const find = async (kid: string): Promise<string> => {
    try {
      await keys.find({ alg: 'ES256', kid } as JWTHeaderParameters, { payload: '', signature: '' })
      return 'found'
    } catch (error) {
      if (error instanceof KeysUnavailable) return 'unavailable'
      if (error instanceof errors.JWKSNoMatchingKey) return 'no such key'
      throw error
    }
  }
  /** Time goes by while this is under way; gives how long it took. */
  const within = async (ms: number, asked: Promise<string>): Promise<string> => {
    let answer: string | undefined
    void asked.then((found) => (answer = found))
    for (let left = ms; left >= 0 && answer === undefined; left -= 100) {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      if (answer === undefined) clock.advance(100)
    }
    return answer ?? `nothing within ${ms} ms`
  }
  return { clock, state, keys, find, within }
}

test('[KEYS-1] after a rotation the first token with the new key is let in within two seconds', async () => {
  const { clock, state, find, within } = await provider('old')
  expect(await find('old')).toBe('found')
  clock.advance(50)
  state.set = { keys: [await jwk('new')] }
  expect(await within(2_000, find('new'))).toBe('found')
})

test(
  '[KEYS-2] a stranger who makes up key ids keeps nobody out, and does not make us hammer the ' + 'provider',
  async () => {
    const { clock, state, find, within } = await provider('known')
    expect(await find('known')).toBe('found')
    const before = state.asked
    for (let second = 0; second < 30; second++) {
      const made = Array.from({ length: 20 }, (_, n) => within(2_000, find(`made-up-${second}-${n}`)))
      expect(await find('known')).toBe('found')
      for (const answer of await Promise.all(made)) expect(answer).toBe('no such key')
      clock.advance(500)
    }
    expect(state.asked - before).toBeLessThanOrEqual(32)
    state.set = { keys: [await jwk('new')] }
    const stranger = within(2_000, find('made-up'))
    expect(await within(2_000, find('new'))).toBe('found')
    expect(await stranger).toBe('no such key')
  },
)

test('[KEYS-3] with the provider away the last known keys are used for a day, and it shows', async () => {
  const { clock, state, keys, find, within } = await provider('known')
  expect(await find('known')).toBe('found')
  expect(keys.health().isFailing).toBe(false)
  state.set = null
  clock.advance(11 * 60_000)
  expect(await find('known')).toBe('found')
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect(keys.health()).toEqual({ ageMs: 11 * 60_000, isFailing: true })
  expect(await within(2_000, find('other')), 'nobody can say that there is no such key').toBe('unavailable')
  clock.advance(23 * HOUR_MS)
  expect(await find('known')).toBe('found')
  clock.advance(HOUR_MS)
  expect(await within(2_000, find('known'))).toBe('unavailable')
  state.set = { keys: [await jwk('known')] }
  expect(await within(2_000, find('known'))).toBe('found')
})

test('[KEYS-3] a start without the provider lets people in as soon as it answers', async () => {
  const { state, find, within } = await provider('known')
  const { set } = state
  state.set = null
  expect(await within(2_000, find('known'))).toBe('unavailable')
  state.set = set
  expect(await within(2_000, find('known'))).toBe('found')
})
