import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { catalogue } from '../machines/catalogue.ts'
import { chartPage } from '../scripts/chart-page.ts'
import { CHARTS, charts } from '../scripts/charts.ts'

test('every kind has a chart in docs/charts, and nothing else is there', () => {
  expect(readdirSync(CHARTS).sort()).toEqual(
    Object.keys(catalogue)
      .map((kind) => `${kind}.md`)
      .sort(),
  )
})

test.each([...charts()])('docs/charts/%s is what the script draws today (npm run charts)', (file, page) => {
  expect(readFileSync(join(CHARTS, file), 'utf8')).toBe(page)
})

test('a chart shows every event of its kind', () => {
  for (const [kind, { events }] of Object.entries(catalogue)) {
    for (const event of Object.keys(events)) expect(charts().get(`${kind}.md`), event).toContain(event)
  }
})

test('what the script cannot draw stops it', () => {
  const guarded = { config: { initial: 'a', states: { a: { on: { It: { target: 'b', guard: 'maybe' } } }, b: {} } } }
  expect(() => chartPage('x', guarded)).toThrow('It in a has guard')
  expect(() => chartPage('x', { config: { initial: 'a', states: { a: { after: {} } } } } as never)).toThrow(
    'state a has after',
  )
})
