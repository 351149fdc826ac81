import { expect, it } from 'vitest'
import { openHeads } from '../../src/log/heads.ts'

const asked: string[] = []
const heads = (maxStreams: number) => openHeads((stream) => asked.push(stream) - 1, maxStreams)

it('heads of the most recently written streams are remembered, the others are read from the disk', () => {
  asked.length = 0
  const bounded = heads(2)
  for (const [stream, position] of [
    ['a', 0n],
    ['b', 1n],
    ['a', 2n],
    ['c', 3n],
  ] as const)
    bounded.set(stream, { revision: 7, position }, 10n)
  expect(['a', 'c'].map((stream) => bounded.get(stream).revision)).toEqual([7, 7])
  expect(asked).toEqual([])
  bounded.get('b')
  expect(asked).toEqual(['b'])
})

it('what was read from the disk is remembered, too, and gives way as the rest does', () => {
  asked.length = 0
  const bounded = heads(2)
  bounded.get('a')
  bounded.get('a')
  expect(asked).toEqual(['a'])
  for (const stream of ['b', 'c', 'a']) bounded.get(stream)
  expect(asked).toEqual(['a', 'b', 'c', 'a'])
  bounded.set('a', { revision: 3, position: 9n }, 8n)
  for (const stream of ['d', 'e', 'f']) bounded.get(stream)
  expect(bounded.get('a').revision).toBe(3)
})

it('a stream with pending events is never forgotten, however many there are, until they are durable', () => {
  asked.length = 0
  const bounded = heads(2)
  for (let n = 0; n < 5; n++) bounded.set(`s${n}`, { revision: n, position: BigInt(n) }, -1n)
  for (let n = 0; n < 5; n++) expect(bounded.get(`s${n}`).revision).toBe(n)
  bounded.set('last', { revision: 0, position: 5n }, 4n)
  expect(bounded.get('s4').revision).toBe(4)
  expect(asked).toEqual([])
  bounded.get('s3')
  expect(asked).toEqual(['s3'])
})
