import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const TIMED = ['src/pause.ts', 'src/retries.ts', 'src/within.ts']
const SMALL = [
  'src/clock.ts',
  'src/back-off.ts',
  'src/keep-newest.ts',
  'src/keyed-queue.ts',
  'src/outage.ts',
  'src/slices.ts',
  'src/sorted.ts',
  ...TIMED,
]
const STORAGE = ['src/log', 'src/views', 'src/runtime', 'src/presence', 'src/files']
const MACHINERY = [
  ...[
    'machines',
    'projections',
    'src/config.ts',
    'src/delivery',
    'src/gateway',
    'src/analytics',
    'src/outbound',
    'src/mail',
    'src/observe',
  ],
  ...STORAGE,
  ...SMALL,
]

/**
 * Who may import whom: the first entry that a path starts with is its layer. Read upwards, it is the way data flows.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines'],
  projections: ['projections', 'machines'],
  // Machinery, from the bottom up. None of it knows a contract.
  'src/instants.ts': [],
  'src/clock.ts': ['src/instants.ts'],
  'src/back-off.ts': [],
  'src/keep-newest.ts': [],
  'src/sparingly.ts': [],
  'src/keyed-queue.ts': [],
  'src/within.ts': [],
  'src/outage.ts': [],
  'src/slices.ts': [],
  'src/sorted.ts': ['src/slices.ts'],
  'src/pause.ts': ['src/clock.ts'],
  'src/retries.ts': ['src/clock.ts'],
  'src/files-url.ts': [],
  'src/edits.ts': [],
  'src/read-only-redis.ts': [],
  'src/trust-proxy.ts': [],
  'src/config-forms.ts': [],
  'src/config-variable.ts': [],
  'src/config-variables.ts': [
    'src/config-forms.ts',
    'src/config-variable.ts',
    'src/files-url.ts',
    'src/trust-proxy.ts',
  ],
  'src/config-strangers.ts': ['src/config-variables.ts', 'src/edits.ts'],
  'src/config.ts': ['src/config-variables.ts', 'src/files-url.ts', 'src/trust-proxy.ts'],
  'src/files': ['src/files', ...SMALL],
  'src/log': ['src/log', ...SMALL, 'machines'],
  'src/views': ['src/views', 'src/log', 'src/read-only-redis.ts', ...SMALL, 'projections', 'machines'],
  'src/runtime': ['src/runtime', 'src/log', ...SMALL, 'machines'],
  'src/presence': ['src/presence', 'src/read-only-redis.ts', ...SMALL, 'machines'],
  'src/outbound': ['src/outbound', 'src/log', ...SMALL, 'machines'],
  'src/mail': ['src/mail', 'src/runtime', 'src/views', ...SMALL, 'projections', 'machines'],
  'src/analytics': ['src/analytics', 'src/outbound', 'src/log', ...SMALL, 'machines'],
  'src/observe': ['src/observe', 'src/config-variables.ts', 'src/config-forms.ts', 'src/sparingly.ts'],
  // The port names what machinery offers to contracts, so this one file knows the types of all of it.
  'src/delivery/contract.ts': [
    'src/delivery',
    'src/gateway',
    ...STORAGE,
    ...SMALL,
    'src/config.ts',
    'projections',
    'machines',
  ],
  'src/delivery': ['src/delivery', ...STORAGE, ...SMALL, 'projections', 'machines'],
  'src/gateway': [
    'src/gateway',
    'src/edits.ts',
    'src/delivery',
    ...STORAGE,
    ...SMALL,
    'src/config.ts',
    'src/trust-proxy.ts',
    'projections',
    'machines',
  ],
  // Contracts stand on machinery, and on each other where one is about the other's things.
  'src/contracts': [
    'src/contracts',
    'src/outbound',
    'src/mail',
    'src/gateway',
    'src/delivery',
    ...STORAGE,
    ...SMALL,
    'src/config.ts',
    'projections',
    'machines',
  ],
  'src/commands': ['src', 'projections', 'machines'],
  'src/storage.ts': [
    'src/clock.ts',
    'src/config.ts',
    'src/delivery/contract.ts',
    ...STORAGE,
    'projections',
    'machines',
  ],
  'src/tell-mixpanel.ts': MACHINERY,
  'src/serve-connections.ts': MACHINERY,
  'src/serve-log.ts': [...MACHINERY, 'src/storage.ts'],
  'src/serve-presence.ts': [...MACHINERY, 'src/serve-connections.ts'],
  'src/serve-clients.ts': [...MACHINERY, 'src/serve-connections.ts', 'src/serve-presence.ts'],
  'src/serve-http.ts': MACHINERY,
  'src/serve-door.ts': MACHINERY,
  'src/serve.ts': [
    ...MACHINERY,
    'src/serve-clients.ts',
    'src/serve-connections.ts',
    'src/serve-door.ts',
    'src/serve-http.ts',
    'src/serve-past.ts',
    'src/serve-presence.ts',
    'src/storage.ts',
    'src/tell-mixpanel.ts',
  ],
  'src/serve-past.ts': MACHINERY,
  'src/serve-anew.ts': ['src'],
  'src/main.ts': ['src', 'machines/catalogue.ts'],
}

/** Packages that only some files may know, so that replacing one is a change in one place. */
const ONLY_IN: Readonly<Record<string, RegExp>> = {
  xstate: /^(machines\/[a-z]+\/machine\.ts|src\/runtime\/actor\.ts)$/,
  lmdb: /^src\/(log|views)\//,
  '@eventstore/db-client': /^src\/log\/eventstore/,
  ioredis: /^src\/(views|presence)\/redis/,
  'socket.io': /^src\/gateway\/sockets\//,
  zod: /^src\/(contracts\/|gateway\/|config-variables?\.ts)/,
  jose: /^src\/gateway\/auth\//,
  '@aws-sdk/client-s3': /^src\/files\/s3\.ts$/,
  'file-type': /^src\/files\/kinds\.ts$/,
  commander: /^src\/main\.ts$/,
  nodemailer: /^src\/mail\/smtp\.ts$/,
  mixpanel: /^src\/analytics\/import\.ts$/,
}

/** Pure layers: no clock, no chance, no environment, no waiting. */
const PURE = [
  /^(machines|projections|src\/contracts\/shared)\//,
  /^src\/contracts\/[a-z-]+\/(notices|opening|wire|shapes|refusals|audiences|roster)\.ts$/,
]
const IMPURE = [
  /\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\.|\bset(Timeout|Interval)\(/,
  /\bcrypto\b|\basync\b|\bawait\b|from 'node:/,
]

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

  test.each(files)('%s is at most 300 lines long', (file) => {
    const lines = sourceOf(file).split('\n')
    expect(lines.length - 1).toBeLessThanOrEqual(300)
  })
})

test('no file imports itself over others', () => {
  const imports = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]))
  expect(circleIn(imports)).toEqual([])
})

test('a circle of imports is found', () => {
  const circle = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['a']],
  ])
  expect(circleIn(circle)).toEqual(['a', 'b', 'd', 'a'])
})

test('half of the production files have at most 80 lines', () => {
  const lengths = files.map((file) => sourceOf(file).split('\n').length - 1).sort((a, b) => a - b)
  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(80)
})

test.each(files.filter((file) => PURE.some((paths) => paths.test(file))))('%s is pure', (file) => {
  const code = sourceOf(file).replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '')
  for (const what of IMPURE) expect(code).not.toMatch(what)
})

test('only main.ts reads the environment', () => {
  expect(files.filter((file) => sourceOf(file).includes('process.env'))).toEqual(['src/main.ts'])
})

test('nobody imports main.ts', () => {
  expect(files.filter((file) => importsOf(file).includes('src/main.ts'))).toEqual([])
})

/** The first circle that is found, depth first; empty when there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target, [...path, file])
      if (circle.length > 0) return circle
    }
    done.add(file)
    return []
  }
  for (const file of imports.keys()) {
    const circle = visit(file, [])
    if (circle.length > 0) return circle
  }
  return []
}
