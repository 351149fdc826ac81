import { afterEach, describe, expect, test } from 'vitest'
import type { Leases } from '../../src/presence/leases.ts'

const anna = 'acme.anna'
const bo = 'acme.bo'

/** What every adapter of the port must do. `open` gives new, empty leases. */
export function leasesSuite(adapter: string, open: () => Promise<Leases>): void {
  describe(`leases: ${adapter}`, () => {
    const opened: Leases[] = []
    const fresh = async (): Promise<Leases> => {
      const leases = await open()
      opened.push(leases)
      return leases
    }
    afterEach(async () => {
      for (const leases of opened.splice(0)) await leases.close()
    })

    test('nobody is there at first', async () => {
      const leases = await fresh()
      expect(await leases.count([anna, bo])).toEqual([0, 0])
    })

    test('every socket of a person counts', async () => {
      const leases = await fresh()
      expect(await leases.hold(anna, 's1')).toBe(1)
      expect(await leases.hold(anna, 's2')).toBe(2)
      expect(await leases.count([anna])).toEqual([2])
    })

    test('a socket that is held twice counts once', async () => {
      const leases = await fresh()
      await leases.hold(anna, 's1')
      expect(await leases.hold(anna, 's1')).toBe(1)
    })

    test('giving back tells how many are left', async () => {
      const leases = await fresh()
      await leases.hold(anna, 's1')
      await leases.hold(anna, 's2')
      expect(await leases.release(anna, 's1')).toBe(1)
      expect(await leases.release(anna, 's2')).toBe(0)
    })

    test('giving back an unknown lease is no error and changes nothing', async () => {
      const leases = await fresh()
      await leases.hold(anna, 's1')
      expect(await leases.release(anna, 's9')).toBe(1)
      expect(await leases.release(bo, 's1')).toBe(0)
    })

    test('people are counted apart, in the order in which they were asked for', async () => {
      const leases = await fresh()
      await leases.hold(bo, 's1')
      await leases.hold(bo, 's2')
      await leases.hold(anna, 's3')
      expect(await leases.count([anna, 'acme.nobody', bo])).toEqual([1, 0, 2])
    })

    test('many people are counted at once', async () => {
      const leases = await fresh()
      const people = Array.from({ length: 450 }, (_, i) => `acme.p${i}`)
      await Promise.all(people.map((person) => leases.hold(person, 's')))
      expect(await leases.count(people)).toEqual(people.map(() => 1))
    })

    test('closing twice is harmless', async () => {
      const leases = await fresh()
      await leases.hold(anna, 's1')
      await leases.close()
      await leases.close()
    })
  })
}
