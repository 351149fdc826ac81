import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { strangers } from '../src/config-strangers.ts'
import { VARIABLES } from '../src/config-variables.ts'
import { composeIn, environmentOf } from './support/compose.ts'
import { startServer } from './support/server.ts'

/** No Docker engine runs where these tests do, so they prove what can be proven without one. */
const root = join(import.meta.dirname, '..')
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

const compose = composeIn('docker-compose.yml')
const services = Object.entries(compose.services)
const nodes = services.filter(([, { build }]) => build === '.')

const OWN = { JWT_SECRET: 'x'.repeat(64) }

describe('docker-compose.yml', () => {
  test('has EventStoreDB, Redis and two nodes of ours', () => {
    expect(Object.keys(compose.services)).toEqual(['eventstore', 'redis', 'lyceum-1', 'lyceum-2'])
    expect(compose.services.eventstore?.image).toBe('eventstore/eventstore:24.6.0-jammy')
    expect(nodes).toHaveLength(2)
  })

  test.each(nodes)('gives %s variables that the configuration accepts, every one of them', (_, service) => {
    const env = environmentOf(service, OWN)
    for (const name of Object.keys(env)) expect(Object.keys(VARIABLES)).toContain(name)
    expect(strangers(env)).toEqual([])
    expect(readConfig(env)).toMatchObject({
      host: '0.0.0.0',
      port: 3000,
      dataDirectory: '/data',
      eventStoreUrl: 'esdb://eventstore:2113?tls=false',
      redisUrl: 'redis://redis:6379',
      keys: { kind: 'secret', secret: OWN.JWT_SECRET },
      disconnectGraceMs: 15_000,
      allowedOrigins: [],
      mixpanel: null,
    })
  })

  test.each(nodes)('does not start %s without a secret, which must be the same on every node', (_, service) => {
    expect(() => environmentOf(service, {})).toThrow('openssl rand -base64 48')
  })

  test.each(nodes)('passes on what %s is told from outside, in a form that is accepted', (_, service) => {
    const outside = {
      ALLOWED_ORIGINS: 'https://app.example.org',
      DISCONNECT_GRACE_MS: '0',
      LOG_LEVEL: 'debug',
      MIXPANEL_TOKEN: 'token',
    }
    expect(readConfig(environmentOf(service, { ...OWN, ...outside }))).toMatchObject({
      allowedOrigins: ['https://app.example.org'],
      disconnectGraceMs: 0,
      logLevel: 'debug',
    })
  })

  test('publishes ports on the loopback interface only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? [])
    expect(ports.length).toBeGreaterThan(0)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    for (const [, { ports: own = [], environment = {} }] of nodes)
      expect(own[0]).toMatch(new RegExp(`:${environment.PORT}$`))
  })

  test('names only services and volumes that it has', () => {
    for (const [, { depends_on = {}, volumes = [] }] of services) {
      for (const name of Object.keys(depends_on)) expect(compose.services[name]?.healthcheck, name).toBeDefined()
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0])
    }
  })

  test('reaches EventStoreDB and Redis by their service names', () => {
    for (const [, service] of nodes) {
      const { EVENTSTORE_URL = '', REDIS_URL = '' } = environmentOf(service, OWN)
      for (const url of [EVENTSTORE_URL, REDIS_URL])
        expect(Object.keys(compose.services)).toContain(new URL(url).hostname)
    }
  })
})

const instructions = text('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
const argumentsOf = (word: string): string[] =>
  instructions.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))

describe('the health checks', () => {
  const ofImage = JSON.parse(/CMD (\[.*\])$/.exec(argumentsOf('HEALTHCHECK')[0] ?? '')?.[1] ?? '[]') as string[]

  test('of compose and of the image are the same', () => {
    for (const [, { healthcheck }] of nodes) expect(healthcheck?.test).toEqual(['CMD', ...ofImage])
  })

  test('ask a route that answers on a ready server, and fail where nobody answers', async () => {
    const server = await startServer()
    onTestFinished(() => server.kill('SIGKILL'))
    const [node = '', ...args] = ofImage
    const check = (url: string) =>
      promisify(execFile)(
        join(root, node),
        args.map((arg) => arg.replace('http://127.0.0.1:3000', url)),
      )
    expect(args.join()).toContain('http://127.0.0.1:3000/readyz')
    await check(server.url)
    expect(await server.stop()).toBe(0)
    await expect(check(server.url)).rejects.toMatchObject({ code: 1 })
  })
})

describe('the image', () => {
  const copied = argumentsOf('COPY')
    .filter((line) => !line.startsWith('--from'))
    .flatMap((line) => line.split(' ').slice(0, -1))

  test('runs as somebody who is not root, with the variables of the configuration', () => {
    expect(argumentsOf('USER')).toEqual(['lyceum'])
    const env = Object.fromEntries(argumentsOf('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('='))))
    expect(readConfig(env)).toMatchObject({ host: '0.0.0.0', port: 3000, dataDirectory: '/data' })
  })

  test('copies files that exist and that the builder is sent', () => {
    const sent = text('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true)
      expect(sent).toContain(path)
    }
  })

  test('holds every file and every package that the server imports', () => {
    const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> }
    const seen = new Set<string>()
    const packages = new Set<string>()
    const visit = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/^import(?! type)[^'=]*'([^']+)'/gm)) {
        if (specifier.startsWith('.')) visit(join(dirname(file), specifier))
        else if (!specifier.startsWith('node:')) packages.add(/^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
      }
    }
    visit(join(root, 'src/main.ts'))
    expect(seen.size).toBeGreaterThan(50)
    for (const file of seen) expect(copied).toContain(relative(root, file).split('/')[0])
    for (const name of packages) expect(Object.keys(dependencies)).toContain(name)
  })

  test('starts by a command that is there', () => {
    expect(argumentsOf('CMD')).toEqual(['["bin/lyceum", "start"]'])
    expect(existsSync(join(root, 'bin/lyceum'))).toBe(true)
  })
})
