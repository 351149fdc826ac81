import { describe, expect, test } from 'vitest'
import { allowedOrigins } from '../../src/gateway/allowed-origins.ts'
import { strangersTold } from '../../src/observe/strangers-told.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const checkOf = (...listed: string[]) => {
  const refused: string[] = []
  return { check: allowedOrigins({ listed, onRefused: (origin) => refused.push(origin) }), refused }
}

describe('names of loopback', () => {
  test.each(LOOPBACK.flatMap((page) => LOOPBACK.map((server) => [page, server] as const)))(
    '[CONN-18] a page of %s may call a server that it knows as, or that lists, %s: on the same port alone',
    (page, server) => {
      expect(checkOf().check(`http://${page}:3000`, `${server}:3000`)).toBe(true)
      expect(checkOf().check(`http://${page}:3001`, `${server}:3000`)).toBe(false)
      const { check } = checkOf(`http://${server}:5173`, `https://${server}`)
      expect(check(`http://${page}:5173`, 'chat.example')).toBe(true)
      expect(check(`https://${page}`, 'chat.example')).toBe(true)
      expect(check(`http://${page}:5174`, 'chat.example')).toBe(false)
      expect(check(`https://${page}:5173`, 'chat.example')).toBe(false)
      expect(check(`http://${page}`, 'chat.example')).toBe(false)
    },
  )

  test.each(['http://localhost.evil.example:3000', 'http://127.0.0.2:3000', 'http://evil.localhost:3000'])(
    '[CONN-18] %s is none of them',
    (page) => expect(checkOf('http://localhost:3000').check(page, '127.0.0.1:3000')).toBe(false),
  )
})

test('[CONN-9] a page passes whose origin is the server’s own, or listed; so do programs, which have none', () => {
  const { check, refused } = checkOf('https://app.example', 'capacitor://localhost')
  for (const origin of ['https://app.example', 'capacitor://localhost', 'https://chat.example', undefined])
    expect(check(origin, 'chat.example'), String(origin)).toBe(true)
  expect(check('https://chat.example:8443', 'chat.example:8443')).toBe(true)
  const others = ['https://evil.example', 'capacitor://127.0.0.1', 'ftp://chat.example', 'null', 'not one', '']
  for (const origin of others) expect(check(origin, 'chat.example'), origin).toBe(false)
  expect(refused).toEqual(others)
  expect(checkOf('*').check('null', undefined)).toBe(true)
})

test('[CONN-19] [GUARD-4] each is told once in its time, and a hundred different ones at most', () => {
  const lines: { readonly of: unknown; readonly others: unknown; readonly sentence: string }[] = []
  const warn = (fields: { origin?: string; event?: string; others?: string }, sentence: string) =>
    void lines.push({ of: fields.origin ?? fields.event, others: fields.others, sentence })
  let at = 0
  const told = strangersTold({ warn: warn as never }, () => at)
  for (let n = 0; n < 50; n++) told.origin('https://shop.example')
  told.origin('null')
  for (let n = 0; n < 50; n++) told.event('staf_join')
  expect(lines.map(({ of }) => of)).toEqual(['https://shop.example', 'null', 'staf_join'])
  expect(lines[0]?.sentence).toContain('add https://shop.example to ALLOWED_ORIGINS')
  expect(lines[1]?.sentence).toContain('cannot be listed')
  at = 59_999
  told.event('staf_join')
  expect(lines).toHaveLength(3)
  at = 60_000
  told.event('staf_join')
  told.origin('https://shop.example')
  expect(lines.map(({ of }) => of).slice(3)).toEqual(['staf_join'])
  for (let n = 0; n < 1_000; n++) told.event(`${n}${'x'.repeat(10_000)}`)
  expect(lines).toHaveLength(103)
  expect(lines.filter(({ others }) => others !== undefined)).toHaveLength(1)
  expect(Math.max(...lines.map(({ of }) => String(of).length))).toBe(100)
  at = 3_600_000
  told.origin('https://shop.example')
  expect(lines).toHaveLength(104)
})
