import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { strangers } from '../src/config-strangers.ts'
import { VARIABLES } from '../src/config-variables.ts'
import { targetOf } from '../src/log/eventstore-address.ts'
import { composeIn, environmentOf, type Service } from './support/compose.ts'

/** No Docker engine runs where these tests do, so they prove what can be proven without one. */
const compose = composeIn('docker-compose.cluster.yml')
const services = Object.entries(compose.services)
const named = (start: string): [string, Service][] => services.filter(([name]) => name.startsWith(start))
const [nodes, stores] = [named('lyceum-'), named('eventstore-')]

const SET = { JWT_SECRET: 'x'.repeat(64), STORE_ADMIN_PASSWORD: 'a1', STORE_OPS_PASSWORD: 'b2', STORE_PASSWORD: 'c3' }
/** Without the file of the authority, which is not here. */
const hostsOf = (url: string) => targetOf(url.replace(/tlsCAFile=[^&]*/, 'tls=true')).hosts
const STORES = stores.map(([host]) => ({ host, port: 2113 }))

describe('docker-compose.cluster.yml', () => {
  test('has three store nodes, two of ours, Redis, and what makes certificates and the user', () => {
    expect([stores.length, nodes.length]).toEqual([3, 2])
    expect(Object.keys(compose.services).sort()).toEqual(
      ['certificates', 'store-user', 'redis', ...stores.map(([name]) => name), ...nodes.map(([name]) => name)].sort(),
    )
  })

  test.each(nodes)('gives %s variables that the configuration accepts, every one of them', (_, service) => {
    const env = environmentOf(service, SET)
    for (const name of Object.keys(env)) expect(Object.keys(VARIABLES)).toContain(name)
    expect(strangers(env)).toEqual([])
    const { eventStoreUrl, ...config } = readConfig(env)
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 3000,
      dataDirectory: '/data',
      redisUrl: 'redis://redis:6379',
      keys: { kind: 'secret', secret: SET.JWT_SECRET },
      disconnectGraceMs: 15_000,
      allowedOrigins: [],
      mixpanel: null,
    })
    const [login, rest] = (eventStoreUrl ?? '').split('@')
    expect(login).toBe('esdb://lyceum:c3')
    expect(rest).toContain('?tlsCAFile=/certs/ca/ca.crt&')
    expect(hostsOf(eventStoreUrl ?? '')).toEqual(STORES)
  })

  test.each(Object.keys(SET))('does not start without %s', (name) => {
    const { [name]: _, ...others } = SET as Record<string, string>
    const all = (): unknown => services.map(([, service]) => environmentOf(service, others))
    expect(all).toThrow(`${name}: set it`)
  })

  test('makes the user by a script that is there, as an admin whom all store nodes know', () => {
    const service = compose.services['store-user'] ?? {}
    const { EVENTSTORE_ADMIN_URL = '', NEW_PASSWORD } = environmentOf(service, SET)
    expect(EVENTSTORE_ADMIN_URL).toMatch(/^esdb:\/\/admin:a1@eventstore-1:2113,/)
    expect(hostsOf(EVENTSTORE_ADMIN_URL)).toEqual(STORES)
    expect(NEW_PASSWORD).toBe('c3')
    const script = /scripts\/\S+\.ts/.exec(service.command?.join(' ') ?? '')?.[0] ?? ''
    expect(script).not.toBe('')
    expect(existsSync(join(import.meta.dirname, '..', script)), script).toBe(true)
    expect(service.volumes).toContain('./scripts:/lyceum/scripts:ro')
  })

  test.each(stores)('%s is started again whatever its exit code, and has a certificate of its own', (name, service) => {
    const { EVENTSTORE_GOSSIP_SEED: seeds = '', ...env } = environmentOf(service, SET)
    const address = service.networks?.default.ipv4_address
    expect(service.restart).toBe('always')
    expect(env).toMatchObject({
      EVENTSTORE_CLUSTER_SIZE: '3',
      EVENTSTORE_REPLICATION_IP: address,
      EVENTSTORE_CERTIFICATE_FILE: `/certs/${name}/node.crt`,
      EVENTSTORE_CERTIFICATE_PRIVATE_KEY_FILE: `/certs/${name}/node.key`,
      EVENTSTORE_ADVERTISE_HOST_TO_CLIENT_AS: name,
      EVENTSTORE_DEFAULT_ADMIN_PASSWORD: 'a1',
    })
    expect(env).not.toHaveProperty('EVENTSTORE_INSECURE')
    const others = stores.map(([, it]) => it.networks?.default.ipv4_address).filter((one) => one !== address)
    expect(seeds.split(',')).toEqual(others.map((one) => `${one}:2113`))
    // What the certificate is made for: its name and the last digit of its address are the same.
    expect(address).toBe(`172.30.241.1${name.at(-1)}`)
  })

  test('gives no environment of the store a variable of ours, which it would not start with', () => {
    for (const [, service] of stores)
      expect(Object.keys(service.environment ?? {}).filter((name) => name in VARIABLES)).toEqual([])
  })

  test('publishes ports on the loopback interface only, none twice', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? [])
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    expect(new Set(ports).size).toBe(5)
  })

  test('names only services and volumes that it has', () => {
    for (const [, { depends_on = {}, volumes = [] }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(Object.keys(compose.services)).toContain(name)
        if (condition === 'service_healthy') expect(compose.services[name]?.healthcheck, name).toBeDefined()
      }
      for (const volume of volumes.filter((one) => !one.startsWith('./')))
        expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0])
    }
  })
})
