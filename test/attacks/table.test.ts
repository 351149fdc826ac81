import { expect, test } from 'vitest'
import { frameOf } from './raw.ts'
import { ATTACKS } from './table.ts'

test('every attack can be run alone by its name', () => {
  const names = ATTACKS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(40)
  expect(names.filter((name) => !/^[a-z-]+$/.test(name))).toEqual([])
})

test.each([0, 125, 126, 65_535, 65_536])('a frame of %i bytes says how long it is', (length) => {
  const frame = frameOf('x'.repeat(length))
  expect(frame[0]).toBe(0x81)
  expect(frame.length - length).toBe(length < 126 ? 6 : length < 65_536 ? 8 : 14)
})
