import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * Who may import whom: the first entry that a path starts with is its layer. Read upwards, it is the way data flows.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines'],
  projections: ['projections', 'machines'],
  'src/clock.ts': [],
  'src/keep-newest.ts': [],
  'src/config.ts': ['src/config-variables.ts'],
  'src/config-variables.ts': [],
  'src/log': ['src/log', 'machines'],
  'src/views': ['src/views', 'src/keep-newest.ts', 'src/log', 'src/clock.ts', 'projections', 'machines'],
  'src/runtime': ['src/runtime', 'src/keep-newest.ts', 'src/log', 'machines'],
  'src/contracts': ['src/contracts', 'projections', 'machines'],
  'src/presence': ['src/presence', 'src/keep-newest.ts', 'src/clock.ts', 'machines'],
  'src/delivery': [
    'src/delivery',
    'src/keep-newest.ts',
    'src/contracts',
    'src/log',
    'src/views/store.ts',
    'src/clock.ts',
    'projections',
    'machines',
  ],
  'src/analytics': ['src/analytics', 'src/keep-newest.ts', 'src/log', 'src/clock.ts', 'projections', 'machines'],
  'src/policies': [
    'src/policies',
    'src/clock.ts',
    'src/presence/in-turn.ts',
    'src/delivery',
    'src/runtime',
    'projections',
    'machines',
  ],
  'src/observe': ['src/observe', 'src/config-variables.ts'],
  'src/gateway': [
    'src/gateway',
    'src/keep-newest.ts',
    'src/contracts',
    'src/delivery',
    'src/presence',
    'src/runtime',
    'src/views',
    'src/log',
    'src/clock.ts',
    'src/config.ts',
    'projections',
    'machines',
  ],
  'src/commands': [
    'src/commands',
    'src/delivery',
    'src/gateway',
    'src/log',
    'src/views',
    'src/storage.ts',
    'src/config.ts',
    'src/observe',
    'projections',
    'machines',
  ],
  'src/storage.ts': ['src', 'projections', 'machines'],
  'src/tell-mixpanel.ts': ['src'],
  'src/serve-lessons.ts': ['src', 'projections', 'machines'],
  'src/serve-presence.ts': ['src'],
  'src/serve-attendance.ts': ['src', 'projections', 'machines'],
  'src/serve.ts': ['src', 'projections', 'machines'],
  'src/main.ts': ['src'],
}

/** Packages that only some files may know, so that replacing one is a change in one place. */
const ONLY_IN: Readonly<Record<string, RegExp>> = {
  xstate: /^(machines\/[a-z]+\/machine\.ts|src\/runtime\/actor\.ts)$/,
  lmdb: /^src\/(log|views)\//,
  '@eventstore/db-client': /^src\/log\/eventstore/,
  ioredis: /^src\/(views|presence)\/redis/,
  'socket.io': /^src\/(gateway\/|serve(-lessons|-attendance)?\.ts)/,
  zod: /^src\/(contracts\/|gateway\/|config-variables\.ts)/,
  jose: /^src\/gateway\//,
  commander: /^src\/main\.ts$/,
  mixpanel: /^src\/analytics\/import\.ts$/,
}

/** Pure layers: no clock, no chance, no environment, no waiting. */
const PURE = /^(machines|projections|src\/contracts)\//
const IMPURE =
  /\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\.|\bset(Timeout|Interval)\(|\bcrypto\b|\basync\b|\bawait\b|from 'node:/

const root = join(import.meta.dirname, '..')
const files = ['machines', 'projections', 'src'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${top}/${file.replaceAll('\\', '/')}`),
)
const sourceOf = (file: string): string => readFileSync(join(root, file), 'utf8')
const importsOf = (file: string): string[] =>
  [...sourceOf(file).matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, specifier = '']) =>
    specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)).replaceAll('\\', '/') : specifier,
  )
const within = (path: string, layer: string): boolean => path === layer || path.startsWith(`${layer}/`)

describe('every file', () => {
  test.each(files)('%s imports only what its layer may', (file) => {
    const layer = Object.keys(MAY_IMPORT).find((one) => within(file, one))
    expect(layer, `${file} belongs to no layer: add it to the table`).toBeDefined()
    const allowed = MAY_IMPORT[layer ?? ''] ?? []
    for (const target of importsOf(file)) {
      const local = /^(machines|projections|src|test|bench)\//.test(target)
      if (local)
        expect(
          allowed.some((one) => within(target, one)),
          `${file} may not import ${target}`,
        ).toBe(true)
      const guard = Object.entries(ONLY_IN).find(([name]) => target === name || target.startsWith(`${name}/`))?.[1]
      if (guard) expect(file, `${file} may not import ${target}`).toMatch(guard)
    }
  })

  test.each(files)('%s is at most 300 lines long, or says why on its first line', (file) => {
    const lines = sourceOf(file).split('\n')
    if (lines.length > 301) expect(lines[0]).toMatch(/^\/\/ long because/)
  })
})

test.each(files.filter((file) => PURE.test(file)))('%s is pure', (file) => {
  expect(sourceOf(file).replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '')).not.toMatch(IMPURE)
})

test('only main.ts reads the environment', () => {
  expect(files.filter((file) => sourceOf(file).includes('process.env'))).toEqual(['src/main.ts'])
})

test('nobody imports main.ts', () => {
  expect(files.filter((file) => importsOf(file).includes('src/main.ts'))).toEqual([])
})
