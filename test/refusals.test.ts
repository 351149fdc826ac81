import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { refuse } from '../machines/kernel.ts'
import { accountRefusals } from '../src/contracts/accounts/refusals.ts'
import { attendanceRefusals } from '../src/contracts/attendance/refusals.ts'
import { courseRefusals } from '../src/contracts/courses/refusals.ts'
import { lessonRefusals } from '../src/contracts/lessons/refusals.ts'
import { presenceRefusals } from '../src/contracts/presence/refusals.ts'
import { projectRefusals } from '../src/contracts/projects/refusals.ts'
import { supportChatRefusals } from '../src/contracts/support-chat/refusals.ts'
import { type Refusals, sentenceOf } from '../src/delivery/refusals.ts'
import { httpRefusals, socketRefusals } from '../src/gateway/refusals.ts'

/** Who may meet what is refused below a path: the tables of which one has to have the code. The first path counts. */
const TABLES: Readonly<Record<string, readonly Refusals[]>> = {
  'machines/attendance/': [attendanceRefusals, httpRefusals],
  'machines/chat/': [supportChatRefusals],
  'machines/course/': [courseRefusals],
  'machines/joincode/': [lessonRefusals],
  'machines/lesson/': [lessonRefusals],
  'machines/login/': [accountRefusals],
  // Its worker alone meets these.
  'machines/mail/': [{ 'mail-over': [409, ''], 'mail-under-way': [409, ''] }],
  'machines/person/': [accountRefusals],
  'machines/project/': [projectRefusals],
  'machines/quiz/': [courseRefusals],
  'machines/ticket/': [projectRefusals],
  'machines/video/': [courseRefusals],
  'src/contracts/accounts/': [accountRefusals, httpRefusals],
  'src/contracts/attendance/': [attendanceRefusals, socketRefusals],
  'src/contracts/courses/': [courseRefusals, socketRefusals],
  'src/contracts/lessons/': [lessonRefusals, socketRefusals],
  'src/contracts/presence/': [presenceRefusals, socketRefusals],
  'src/contracts/projects/': [projectRefusals, socketRefusals, httpRefusals],
  'src/contracts/shared/': [socketRefusals],
  'src/contracts/support-chat/': [supportChatRefusals, socketRefusals],
  'src/gateway/auth/': [accountRefusals, httpRefusals],
  'src/gateway/http/': [httpRefusals],
  'src/gateway/sockets/': [socketRefusals],
}

const root = join(import.meta.dirname, '..')
const refused = ['machines', 'src'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const file = `${top}/${name}`
      const calls = readFileSync(join(root, file), 'utf8').matchAll(/\b(?:refuse|new Refusal)\(([^()]*)/g)
      return [...calls].flatMap(([, first = '']) =>
        [...first.matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)]
          .slice(0, first.includes('?') ? 2 : 1)
          .map(([, code = '']) => ({ file, code })),
      )
    }),
)

describe('every refusal has a status and a sentence where it may be met', () => {
  test('the search finds refusals everywhere', () => {
    expect(new Set(refused.map(({ code }) => code)).size).toBeGreaterThan(55)
  })
  test.each(refused)('$code of $file', ({ file, code }) => {
    const [, own] = Object.entries(TABLES).find(([path]) => file.startsWith(path)) ?? []
    // What rooms and their queue refuse may be met in both worlds.
    if (own === undefined) for (const table of [httpRefusals, socketRefusals]) expect(table).toHaveProperty([code])
    else
      expect(
        own.some((table) => Object.hasOwn(table, code)),
        `add ${code} to the table of ${file}`,
      ).toBe(true)
  })
})

describe('a sentence', () => {
  const table: Refusals = { taken: [409, 'taken by {name:staffId}: {why}'] }
  const nameOf = (id: string) => `the great ${id}`
  test('names people and tells details', () => {
    expect(sentenceOf(refuse('taken', { staffId: 'ann', why: 'she was first' }), table, nameOf)).toBe(
      'taken by the great ann: she was first',
    )
  })
  test('a detail is told as it is, whatever it looks like', () => {
    expect(sentenceOf(refuse('taken', { staffId: '{why}', why: '$& {name:staffId}' }), table, nameOf)).toBe(
      'taken by the great {why}: $& {name:staffId}',
    )
  })
  test.each(['free', 'constructor', '__proto__'])('%s, which stands in no table, is a bug', (code) => {
    expect(() => sentenceOf(refuse(code), table, nameOf)).toThrow(code)
  })
})
