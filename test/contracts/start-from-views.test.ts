import { expect, onTestFinished, test } from 'vitest'
import { online } from '../../projections/online.ts'
import type { Projection } from '../../projections/projection.ts'
import { all } from '../../src/contracts/all.ts'
import { viewsOf } from '../../src/storage.ts'
import { foldIn, freshData, recordIn } from '../support/data.ts'
import { startServer } from '../support/server.ts'
import { company } from './company.ts'

test('[INIT-8] a node that starts from views of different ages tells what the log tells, without an alarm', async () => {
  const data = await freshData()
  const at = Date.now()
  const cameOnline = { type: 'CameOnline', role: 'visitor', at } as const
  const introduced = (id: string) =>
    ({ type: 'PersonIntroduced', org: 'acme', id, role: 'visitor', profile: { name: id }, issuedAt: 0, at }) as const
  await recordIn(data, [
    ['person-acme.gone', introduced('gone')],
    ['person-acme.here', introduced('here')],
    ['presence-acme.gone', cameOnline],
    ['presence-acme.here', cameOnline],
  ])
  await foldIn(data, viewsOf(all))
  await recordIn(data, [
    ['presence-acme.gone', { type: 'ConnectionLost', until: at + 1, at }],
    ['presence-acme.gone', { type: 'CameBack', role: 'visitor', at }],
    ['presence-acme.gone', { type: 'WentOffline', reason: 'left', since: at, at }],
  ])
  // The crash came before the other views were as far. Whoever is gone has no row in this one any more.
  await foldIn(data, [online as unknown as Projection]) // it gets its own rows only

  const server = await startServer({ data, env: { DISCONNECT_GRACE_MS: '60000' } })
  onTestFinished(() => server.kill('SIGKILL'))
  const acme = company(server, 'websocket', 'acme')
  const ann = await acme.join('agent', 'ann')
  const { online_visitors } = await ann.told('staff_init')
  expect(online_visitors.map(({ id }: { id: string }) => id)).toEqual(['here'])
  expect(await (await fetch(`${server.url}/metrics`)).text()).not.toMatch(/^lyceum_errors_total/m)
  expect(server.output()).not.toContain('unexpected')
  acme.close()
  expect(await server.stop()).toBe(0)
})
