import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LogUnavailable } from '../../src/log/log.ts'
import { standinStore } from '../support/eventstore-standin-store.ts'
import { type Authority, makeAuthority } from '../support/eventstore-standin-tls.ts'
import { aLog, aServer, followed, gathered, noted, numberOf, until } from '../support/eventstore-standin-world.ts'

let authority: Authority
beforeAll(async () => {
  authority = await makeAuthority()
})
afterAll(() => authority.remove())

/** Three members of one cluster, which tell each other's IP addresses. */
async function aCluster(...names: readonly string[]) {
  const tls = await authority.certificate(...names)
  const ports: number[] = []
  const one = { store: standinStore(), members: () => ports, tls }
  const members = await Promise.all([aServer(one), aServer(one), aServer(one)])
  ports.push(...members.map(({ port }) => port))
  return { members, urlAt: (host: string) => urlOf(ports.map((port) => `${host}:${port}`).join(',')) }
}

const urlOf = (hosts: string): string => `esdb://${hosts}?tlsCAFile=${encodeURIComponent(authority.caFile)}`

describe.each(['127.0.0.1', 'localhost'])('by %s', (host) => {
  const name = host === 'localhost' ? 'DNS:localhost' : `IP:${host}`

  test('[CONNECT-1] one server is written, read and followed over TLS', async () => {
    const { port } = await aServer({ tls: await authority.certificate(name) })
    const log = await aLog(urlOf(`${host}:${port}`))
    const following = followed(log)
    expect((await log.append('notes-1', -1, [noted(0), noted(1)])).revision).toBe(1)
    expect((await gathered(log.read('notes-1'))).map(numberOf)).toEqual([0, 1])
    await until(() => following.numbers.length === 2)
  })

  test('[CONNECT-1] a cluster is, whose members tell IP addresses, and over the death of its leader', async () => {
    const { members, urlAt } = await aCluster(name, 'IP:127.0.0.1')
    const log = await aLog(urlAt(host))
    const following = followed(log)
    await log.append('notes-1', -1, [noted(0)])
    members[0].kill()
    await members[0].restart()
    expect((await log.append('notes-1', 0, [noted(1)])).revision).toBe(1)
    await until(() => following.numbers.length === 2)
  })

  test('[CONNECT-1] a certificate for another name is not believed', async () => {
    const { port, store } = await aServer({ tls: await authority.certificate('DNS:elsewhere.example', 'IP:10.0.0.1') })
    const troubles: string[] = []
    const log = await aLog(urlOf(`${host}:${port}`), {
      onTrouble: (_, error) => troubles.push((error as Error).message),
    })
    const appending = log.append('notes-1', -1, [noted(0)])
    await until(() => troubles.some((trouble) => trouble.includes("does not match certificate's altnames")))
    await log.close()
    await expect(appending).rejects.toBeInstanceOf(LogUnavailable)
    expect(store.all).toEqual([])
  })
})
