import { beforeAll, expect, test } from 'vitest'
import { Refusal } from '../../machines/kernel.ts'
import { openPasswords, type Passwords } from '../../src/gateway/auth/passwords.ts'

let passwords: Passwords
beforeAll(async () => {
  passwords = await openPasswords()
})

test('a password opens its own hash only', async () => {
  const hash = await passwords.hash('correct horse')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.verify(hash as string, 'correct horse')).toBe(true)
  expect(await passwords.verify(hash as string, 'correct cow')).toBe(false)
})
test('nobody has no password', async () => {
  expect(await passwords.verify(null, '')).toBe(false)
})
test('the same password gives another hash each time, unless one request is repeated', async () => {
  const hash = (saltFrom?: string) => passwords.hash('correct horse', saltFrom)
  expect(await hash()).not.toBe(await hash())
  expect(await hash('acme.ann\nkey-1')).toBe(await hash('acme.ann\nkey-1'))
  expect(await hash('acme.ann\nkey-1')).not.toBe(await hash('acme.ann\nkey-2'))
})
test('more than can wait are refused at once, the others are all answered', async () => {
  const answers = await Promise.all(
    Array.from({ length: 520 }, (_, i) =>
      i < 2 || i >= 502 ? passwords.verify(null, 'x') : passwords.verify('no hash', 'x').catch(() => false),
    ),
  )
  expect(answers.filter((answer) => answer instanceof Refusal)).toHaveLength(18)
  expect(await passwords.verify(null, 'x')).toBe(false)
})
test('[DOOR-23] one hash answers for all accounts of an e-mail, five more for other salts', async () => {
  const hashOf = async (password: string, saltFrom?: string) => (await passwords.hash(password, saltFrom)) as string
  const shared = await Promise.all(['one', 'two', 'two'].map((password) => hashOf(password, 'ann')))
  const own = await Promise.all(['two', 'one', 'one', 'one', 'one', 'two'].map((password) => hashOf(password)))
  expect(await passwords.opens([...shared, null, ...own], 'two', 'ann')).toEqual([
    ...[false, true, true, false],
    ...[true, false, false, false, false, false], // the sixth is not looked at
  ])
  expect(await passwords.opens([], 'two', 'ann')).toEqual([])
})
