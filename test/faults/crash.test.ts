import { expect, test } from 'vitest'
import { slowly } from '../support/slowness.ts'
import { crashRounds } from './crash.ts'

const ROUNDS = 3
/** Everybody must be back within it. */
const GRACE_MS = slowly(5_000)

test(
  '[LOG-1] [ONCE-4] [GRACE-8] a server killed at random moments under load loses nothing, doubles ' +
    'nothing and forgets nobody',
  async () => {
    expect(await crashRounds(ROUNDS, () => {}, GRACE_MS)).toEqual([])
  },
)
