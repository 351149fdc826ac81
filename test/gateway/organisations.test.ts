import { expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Role } from '../../machines/kernel.ts'
import { AuthFailure } from '../../src/gateway/auth/authenticator.ts'
import { type OrganisationsOptions, openOrganisations } from '../../src/gateway/auth/organisations.ts'
import { codec } from '../../src/log/codec.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { ViewsUnavailable } from '../../src/views/store.ts'

const ROLES: readonly Role[] = ['agent', 'supervisor', 'admin', 'teacher', 'student']

function world() {
  const log = memoryLog({ codec: codec(eventSchemas), now: Date.now })
  const refused: string[] = []
  const node = (options: Partial<OrganisationsOptions> = {}) =>
    openOrganisations({
      letIn: 'known',
      entities: openEntities({ log, snapshots: memorySnapshots(), shared: true, now: Date.now, idleMs: 60_000 }),
      views: { scan: async () => ({ position: null, entries: [] }) },
      now: Date.now,
      onUnknown: (org) => refused.push(org),
      onError(error) {
        throw error
      },
      ...options,
    })
  const opened = async (org: string) => {
    const events: string[] = []
    for await (const batch of log.read(`organisation-${org}`)) events.push(...batch.map(({ event }) => event.type))
    return events
  }
  return { node, refused, opened }
}
const visitorOf = (org: string) => ({ org, role: 'visitor' as const })

test.each(ROLES)(
  '[OPENED-1] the first token of role %s opens its organisation, that of a visitor does not',
  async (role) => {
    const { node, refused, opened } = world()
    const [one, other] = [node(), node()]
    expect(await one.admit(visitorOf('acme'))).toMatchObject({ code: 'organisation-unknown', isPassing: false })
    expect([refused, await opened('acme')]).toEqual([['acme'], []])
    expect(await one.admit({ org: 'acme', role })).toBeNull()
    expect(await opened('acme')).toEqual(['OrganisationOpened'])
    expect(await one.admit(visitorOf('acme'))).toBeNull()
    expect(await other.admit(visitorOf('acme')), 'on every node').toBeNull()
    expect(await other.admit(visitorOf('acme2'))).toBeInstanceOf(AuthFailure)
  },
)

test('[OPENED-1] however many come at once, on several nodes, it is opened once', async () => {
  const { node, opened } = world()
  const nodes = [node(), node(), node()]
  const all = Array.from({ length: 300 }, (_, n) => nodes[n % 3]?.admit({ org: 'acme', role: 'student' }))
  expect(new Set(await Promise.all(all))).toEqual(new Set([null]))
  expect(await opened('acme')).toEqual(['OrganisationOpened'])
})

test('[OPENED-3] where those of every organisation are let in a visitor costs no look, and opens none', async () => {
  const { node, refused, opened } = world()
  const never = () => Promise.reject(new Error('nobody is asked'))
  expect(await node({ letIn: 'open', entities: { ask: never, judged: never } }).admit(visitorOf('acme'))).toBeNull()
  expect([refused, await opened('acme')]).toEqual([[], []])
})

test('[OPENED-7] while it cannot be looked up a visitor may come again, and nobody else is kept out', async () => {
  const { node } = world()
  const away = () => Promise.reject(new LogUnavailable('away'))
  const deaf = node({ entities: { ask: away, judged: away } })
  expect(await deaf.admit(visitorOf('acme'))).toMatchObject({ code: 'organisation-unclear', isPassing: true })
  expect(await deaf.admit({ org: 'acme', role: 'agent' })).toBeNull()
  const blind = node({ views: { scan: () => Promise.reject(new ViewsUnavailable('away')) } })
  expect(await blind.admit(visitorOf('acme'))).toMatchObject({ isPassing: true })
  const silent = node({ entities: { ask: () => new Promise(() => {}), judged: away } })
  expect(await silent.admit({ org: 'acme', role: 'teacher' }), 'a log that does not answer').toBeNull()
})
