import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import type { Row } from '../../src/log/record.ts'
import { openTail } from '../../src/log/tail.ts'
import { textOf } from './suite-world.ts'

const row = (position: number, text: string): Row => ({
  id: randomUUID(),
  stream: 's',
  revision: position,
  position: BigInt(position),
  at: 0,
  type: 'Noted',
  data: JSON.stringify({ text }),
  meta: '{"$correlationId":"c","by":"acme.ada"}',
})

it('a tail without events, or without the first one asked for, gives nothing rather than a hole', () => {
  const tail = openTail(codec({}))
  expect(tail.slice(-1n, 9n, 10)).toBeUndefined()
  tail.push([row(5, 'a'), row(6, 'b')])
  expect(tail.slice(3n, 9n, 10)).toBeUndefined()
  expect(tail.slice(4n, 6n, 10)?.map(textOf)).toEqual(['a', 'b'])
  expect(tail.slice(5n, 6n, 10)?.map(textOf)).toEqual(['b'])
  expect(tail.slice(6n, 6n, 10)).toEqual([])
})

it('a tail stops where it is told to: at a position, or after so many', () => {
  const tail = openTail(codec({}))
  tail.push([row(0, 'a'), row(1, 'b'), row(2, 'c')])
  expect(tail.slice(-1n, 1n, 10)?.map(textOf)).toEqual(['a', 'b'])
  expect(tail.slice(-1n, 2n, 1)?.map(textOf)).toEqual(['a'])
})

it('all readers of a tail get the same decoded event', () => {
  const tail = openTail(codec({}))
  tail.push([row(0, 'a')])
  expect(tail.slice(-1n, 0n, 1)?.[0]).toBe(tail.slice(-1n, 0n, 1)?.[0])
})

it('a tail keeps some thousand events, and the newest ones', () => {
  const tail = openTail(codec({}))
  for (let position = 0; position < 10_000; position++) tail.push([row(position, 'x')])
  expect(tail.slice(7_000n, 9_999n, 10)).toBeUndefined()
  expect(tail.slice(7_951n, 9_999n, 5_000)).toHaveLength(2_048)
  expect(tail.slice(9_998n, 9_999n, 5_000)?.[0]?.revision).toBe(9_999)
})

it('a tail keeps fewer events when they are large, but always the last', () => {
  const tail = openTail(codec({}))
  const megabyte = 'x'.repeat(1_024 * 1_024)
  for (let position = 0; position < 40; position++) tail.push([row(position, megabyte)])
  expect(tail.slice(22n, 39n, 100)).toBeUndefined()
  const found: unknown[] = []
  // [TURN-2] Large ones come one by one, small ones many at once.
  for (let after = 24n; after < 39n; after++) found.push(...(tail.slice(after, 39n, 100) ?? []))
  expect(found).toHaveLength(15)
  tail.push([row(40, megabyte.repeat(20))])
  expect(tail.slice(39n, 40n, 100)).toHaveLength(1)
})
