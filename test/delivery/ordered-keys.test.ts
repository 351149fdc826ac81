import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedKeys } from '../../src/delivery/ordered-keys.ts'

test('[TURN-6] keys that come and go are always in their order', () => {
  const key = fc.nat({ max: 3_000 }).map((n) => `k${n}`)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 3_000 }), key, (moves, from) => {
      const keys = new OrderedKeys()
      const model = new Set<string>()
      for (let n = 0; n < 1_500; n++) {
        keys.add(`k${n}`)
        model.add(`k${n}`)
      }
      for (const [comes, one] of moves) {
        if (comes) model.add(one)
        else model.delete(one)
        if (comes) keys.add(one)
        else keys.delete(one)
      }
      const sorted = [...model].sort()
      expect([...keys.after('')]).toEqual(sorted)
      expect([...keys.after(from)]).toEqual(sorted.filter((one) => one > from))
    }),
    { numRuns: 20 },
  )
})
