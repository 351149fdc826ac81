import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Courtesy } from '../../src/runtime/courtesy.ts'

let now = 0
let courtesy: Courtesy
beforeEach(() => {
  now = 1_000
  courtesy = new Courtesy()
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => void vi.restoreAllMocks())

const waits = (): boolean => courtesy.gap() !== undefined

test('[ROOM-14] whoever has just written leaves a gap of two to four times what it took, if others write', () => {
  courtesy.appended(5)
  expect(waits()).toBe(false) // nobody else writes
  courtesy.othersWrote()
  for (let n = 0; n < 50; n++) expect(waits()).toBe(true)
  now += 9
  for (let n = 0; n < 50; n++) expect(waits()).toBe(true)
  now += 11
  for (let n = 0; n < 50; n++) expect(waits()).toBe(false)
})

test('[ROOM-14] whoever has lost leaves none, nor do those who were alone for a while', () => {
  courtesy.othersWrote() // as a conflict says
  expect(waits()).toBe(false)
  now += 10_001
  courtesy.appended(5)
  expect(waits()).toBe(false)
})

test('[ROOM-14] a log that is slow makes no gap longer than half a second', () => {
  courtesy.othersWrote()
  courtesy.appended(1_000)
  now += 499
  expect(waits()).toBe(true)
  now += 1
  expect(waits()).toBe(false)
})

test('[ROOM-14] the gap ends by itself', async () => {
  courtesy.othersWrote()
  courtesy.appended(5)
  await courtesy.gap()
})
