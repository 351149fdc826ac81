import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  'docs/rules.md',
  'docs/protocol.md',
  'docs/files.md',
  'docs/mail.md',
  'docs/security.md',
  'docs/memory.md',
  ...readdirSync(join(root, 'docs/contracts')).map((name) => `docs/contracts/${name}`),
]

/** `- CHAT-4 …`; a rule that is longer than a line goes on in lines that begin with two spaces. */
const rulesOf = (page: string) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^- ([A-Z]+-\d+) (.*(?:\n {2}.*)*)$/gm)].map(
    ([, id = '', text = '']) => ({ id, page, text: text.replaceAll(/\s+/g, ' ') }),
  )
const rules = pages.flatMap(rulesOf)
const known = new Set(rules.map(({ id }) => id))

/** `[CHAT-4] …` in a test's name; in a table of tests the id stands in the first column: `['CHAT-4', …`. */
const quoted = new Map<string, string>()
const inTables = new Set<string>()
for (const file of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.test.ts') || file === 'rules.test.ts') continue
  const source = readFileSync(join(root, 'test', file), 'utf8')
  for (const [, id = ''] of source.matchAll(/\[([A-Z]{2,}-\d+)\]/g)) quoted.set(id, file)
  for (const [, id = ''] of source.matchAll(/\['([A-Z]{2,}-\d+)',/g)) inTables.add(id)
}

test('every rule is quoted by a test', () => {
  expect(rules.filter(({ id }) => !quoted.has(id) && !inTables.has(id))).toEqual([])
})

test('no test quotes a rule that is not written down', () => {
  expect(
    [...quoted].filter(([id]) => !known.has(id)),
    'add the rule to the page of its contract, to docs/protocol.md or to docs/rules.md',
  ).toEqual([])
})

test('no id stands for two rules', () => {
  expect(rules.filter(({ id }, i) => rules.findIndex((other) => other.id === id) !== i)).toEqual([])
})

test.each(pages)('%s has rules', (page) => {
  expect(rules.some((rule) => rule.page === page)).toBe(true)
})
