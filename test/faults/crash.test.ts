import { expect, test } from 'vitest'
import { crashRounds } from './crash.ts'

test('[LOG-1] [ONCE-4] [GRACE-8] a server killed ten times at random moments under load loses nothing, doubles nothing and forgets nobody', {
  timeout: 240_000,
}, async () => {
  expect(await crashRounds(10, () => {})).toEqual([])
})
