import { expect, test } from 'vitest'
import { contentProblem, contentTypeOf, nameProblem } from '../../src/files/kinds.ts'

const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364' +
    'f8cf500f0003860180059a357d6a0000000049454e44ae426082',
  'hex',
)
const JPG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex')
const GIF = Buffer.from('47494638396101000100800000000000ffffff2c00000000010001000002024401003b', 'hex')
const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n')
const DOC = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const TXT = Buffer.from('Grüße\n')
const ZIP = Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(100, 0xff)])

test.each([
  ['a.png', PNG],
  ['a.JPG', JPG],
  ['a.jpeg', JPG],
  ['a.gif', GIF],
  ['a.pdf', PDF],
  ['a.doc', DOC],
  ['a.txt', TXT],
])('[FILE-7] %s holds what its name says, and nothing else does', async (name, bytes) => {
  expect(await contentProblem(name, bytes)).toBeNull()
  for (const other of [PNG, JPG, GIF, PDF, DOC, TXT, ZIP])
    if (other !== bytes && !(name === 'a.txt' && other === PDF))
      expect(await contentProblem(name, other)).toMatch(/\.\w+ file/)
})

test('[FILE-7] text is whatever is valid UTF-8, zeros too; nothing is no file', async () => {
  expect(await contentProblem('a.txt', Buffer.from([0xff, 0xfe]))).not.toBeNull()
  expect(await contentProblem('a.txt', Buffer.from([0xc0, 0x80]))).not.toBeNull() // zero in too many bytes
  for (const text of ['a\0b', '\0', '\0Grüße\0']) expect(await contentProblem('a.txt', Buffer.from(text))).toBeNull()
  expect(await contentProblem('a.txt', Buffer.alloc(0))).toMatch(/empty/)
  for (const name of ['a', 'a.exe', 'a.png.exe', '.', '', 'a.svg', 'a.html']) expect(nameProblem(name)).toMatch(/\.pdf/)
})

/** A chunk of a PNG; nobody here looks at its checksum. */
function chunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return Buffer.concat([length, Buffer.from(type, 'latin1'), data, Buffer.alloc(4)])
}

test('[FILE-7] an animated PNG is a PNG', async () => {
  const animated = Buffer.concat([PNG.subarray(0, 33), chunk('acTL', Buffer.alloc(8)), PNG.subarray(33)])
  expect(await contentProblem('a.png', animated)).toBeNull()
  expect(await contentProblem('a.gif', animated)).toMatch(/\.apng file/)
})

test('[FILE-7] what every object has is no extension', async () => {
  for (const name of ['a.constructor', 'a.__proto__', 'a.toString']) {
    expect(nameProblem(name)).toMatch(/\.pdf/)
    expect(await contentProblem(name, TXT)).toMatch(/\.pdf/)
    expect(contentTypeOf(name)).toBe('application/octet-stream')
  }
})
