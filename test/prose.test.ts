import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** What people read, code and prose, fits beside something else on a screen. */
const COLUMNS = 120

const root = join(import.meta.dirname, '..')

/** Columns are counted in characters. A line that is nothing but one address cannot be wrapped. */
const tooLong = (file: string): readonly string[] =>
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, i) => ([...line].length > COLUMNS && !/^\W*https?:\S+$/.test(line) ? [`${file}:${i + 1}`] : []))

test.each(['md', 'ts'])(`no line of a .%s file has more than ${COLUMNS} columns`, (ending) => {
  const files = globSync(`**/*.${ending}`, { cwd: root, exclude: ['node_modules', 'data', '.git'] })
  expect(files).not.toEqual([])
  expect(files.flatMap(tooLong)).toEqual([])
})
