import { expect, test } from 'vitest'
import { sized } from '../support/sized.ts'
import { storeRounds } from './store-rounds.ts'

test('[ESDB-5] a store that is killed or frozen again and again loses, doubles and reorders nothing', async () => {
  const { acked, violations } = await storeRounds({ rounds: sized(3, 20), chats: sized(10, 50) })
  expect(violations).toEqual([])
  expect(acked).toBeGreaterThan(300)
})
