import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VARIABLES } from '../src/config-variables.ts'
import { chatNames } from './support/chat-names.ts'

/** What the pages for newcomers say can be checked in part; that part is. */
const root = join(import.meta.dirname, '..')
const text = (file: string): string => readFileSync(join(root, file), 'utf8')
const readme = text('README.md')
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`),
].filter((file) => file.endsWith('.md'))

test.each(pages)('%s links only to files that exist', (page) => {
  for (const [, link = ''] of text(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (!/^[a-z]+:/.test(link)) expect(existsSync(join(root, dirname(page), link)), link).toBe(true)
  }
})

describe('README.md', () => {
  test('lists every variable with the default that it has', () => {
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'))
    for (const [name, { fallback }] of Object.entries(VARIABLES)) {
      const row = rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``))
      expect(row, name).toBeDefined()
      if (fallback !== null) expect(row, name).toContain(`\`${fallback}\``)
    }
  })

  test('finds every name that a client may emit', () => {
    for (const name of chatNames.filter((name) => name !== 'stop_replay')) expect(readme).toContain(`\`${name}\``)
  })

  test('names only scripts that exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> }
    for (const [, name = ''] of readme.matchAll(/npm (?:run )?([a-z-]+)/g)) {
      if (name !== 'ci' && name !== 'run') expect(Object.keys(scripts)).toContain(name)
    }
  })

  test('names only files and folders that exist', () => {
    for (const [, path = ''] of readme.matchAll(/`((?:src|machines|projections|test|docs|bench)\/[^`*<]*)`/g)) {
      expect(existsSync(join(root, path)), path).toBe(true)
    }
  })
})

test('docs/decisions lists each of its pages, by its title', () => {
  const index = text('docs/decisions/README.md').replaceAll('\n  ', ' ')
  for (const file of readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d/.test(name))) {
    const [title = ''] = text(`docs/decisions/${file}`).split('\n')
    expect(index, `an entry for ${file} is missing in docs/decisions/README.md`).toContain(
      `- [${file.slice(0, 4)}](${file}) ${title.replace(/^# \d+ /, '')}\n`,
    )
  }
})
