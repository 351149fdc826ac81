import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadBase64, decodeBase64, decodedSize } from '../../src/files/base64.ts'

async function decoded(text: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of decodeBase64(text)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('[FILE-6] base64 is decoded as it was encoded, bare or as a data URL, with padding or without', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.boolean(), fc.boolean(), async (bytes, bare, padded) => {
      const base64 = Buffer.from(bytes).toString('base64')
      const text = (bare ? '' : 'data:image/png;base64,') + (padded ? base64 : base64.replace(/=+$/, ''))
      expect(decodedSize(text)).toBe(bytes.length)
      expect((await decoded(text)).equals(bytes)).toBe(true)
    }),
  ))

test('[FILE-6] what is no base64 is refused, wherever it goes wrong', async () => {
  for (const bad of ['%', 'a', 'aGk=aGk=', 'aG k', 'aGk\n', 'data:text/plain,hello', 'aGkaG', '=', 'aGk==='])
    await expect(decoded(bad), bad).rejects.toThrow(BadBase64)
  const late = `${'A'.repeat(300 * 1024)}!${'A'.repeat(300 * 1024)}`
  await expect(decoded(late)).rejects.toThrow(BadBase64)
})

test('[FILE-6] five megabytes keep nobody waiting: other work is done in between', async () => {
  const text = Buffer.alloc(5 * 1024 * 1024, 7).toString('base64')
  let turns = 0
  let isOver = false
  const count = (): void => {
    if (isOver) return
    turns++
    setImmediate(count)
  }
  count()
  expect(await decoded(text)).toHaveLength(5 * 1024 * 1024)
  isOver = true
  expect(turns).toBeGreaterThan(20)
})
