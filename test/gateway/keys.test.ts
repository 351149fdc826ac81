import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownSecret } from '../../src/gateway/auth/keys.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lyceum-keys-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('the first start makes a secret that only its owner can read', async () => {
  const secret = await ownSecret(join(directory, 'new', 'data'))
  expect(secret).toHaveLength(64)
  const path = join(directory, 'new', 'data', 'jwt-secret')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await readFile(path, 'utf8')).trim()).toBe(secret)
})
test('every later start uses the same', async () => {
  expect(await ownSecret(directory)).toBe(await ownSecret(directory))
})
test('processes that start at once agree, and leave nothing else behind', async () => {
  const secrets = await Promise.all(Array.from({ length: 8 }, () => ownSecret(directory)))
  expect(new Set(secrets).size).toBe(1)
  expect(await readdir(directory)).toEqual(['jwt-secret'])
})
test('a truncated file stops the start and says what to do', async () => {
  await writeFile(join(directory, 'jwt-secret'), 'short\n')
  await expect(ownSecret(directory)).rejects.toThrow(/jwt-secret must hold at least 32 bytes, has 5: restore it/)
})
