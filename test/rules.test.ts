import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const rules = [...readFileSync(join(root, 'docs/rules.md'), 'utf8').matchAll(/^- ([A-Z]+-\d+) (.*)$/gm)].map(
  ([, id = '', text = '']) => ({
    id,
    text,
  }),
)
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
    'add the rule to docs/rules.md',
  ).toEqual([])
})

test('no id stands for two rules', () => {
  expect(rules.map(({ id }) => id).filter((id, i, all) => all.indexOf(id) !== i)).toEqual([])
})
