import { expect, test } from 'vitest'
import { sized } from '../support/sized.ts'
import { badNetwork } from './network.ts'

test('[MISSED-6] [RESUME-5] a bad network, nodes that are killed and changed: nobody misses anything', async () => {
  const found = await badNetwork({ clients: 30, seconds: sized(8, 60) })
  expect(found.due).toBeGreaterThan(20)
  expect(found.returns).toBeGreaterThan(10)
  expect({ lost: found.lost, doubled: found.doubled, disordered: found.disordered }).toEqual({
    ...{ lost: 0, doubled: 0, disordered: 0 },
  })
  expect(found.wrong.filter((what) => !what.endsWith('staff_send twice'))).toEqual([])
})
