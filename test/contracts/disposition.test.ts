import { expect, test } from 'vitest'
import { disposition } from '../../src/contracts/projects/disposition.ts'

test.each([
  ['dot.png', `attachment; filename="dot.png"; filename*=UTF-8''dot.png`],
  [`a "b" (c)'.txt`, `attachment; filename="a _b_ (c)'.txt"; filename*=UTF-8''a%20%22b%22%20%28c%29%27.txt`],
  ['\u00e9.txt', `attachment; filename="_.txt"; filename*=UTF-8''%C3%A9.txt`],
  ['\ud83d.txt', `attachment; filename="_.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
])('[FILE-8] a file that is called %j can be downloaded', (name, header) => {
  expect(disposition(name)).toBe(header)
})
