import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { connect } from '../support/client.ts'
import { startServer, tokenFor } from '../support/server.ts'
import { tcpUnder } from './paused.ts'

const CHATS = 10_000

test('[LIMIT-8] ten thousand chats wait: an agent who takes their time over that much is not cut off', async () => {
  const data = await mkdtemp(join(tmpdir(), 'lyceum-opening-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  await queued(data)
  const server = await startServer({ data, env: { DISCONNECT_GRACE_MS: '600000' } })
  onTestFinished(() => void server.kill('SIGKILL'))
  const token = await tokenFor('agent', 'ada')
  const [slow, quick] = await Promise.all([
    connect(server.url, { auth: { token } }),
    connect(server.url, { auth: { token } }),
  ])
  onTestFinished(slow.close)
  onTestFinished(quick.close)
  const tcp = tcpUnder(slow.socket)
  tcp.pause()
  await pause(2_500) // two looks of the server at what waits
  tcp.resume()
  for (const agent of [quick, slow]) {
    const { unclaimed_chats } = await agent.told('staff_init')
    expect(unclaimed_chats).toHaveLength(CHATS)
  }
  expect(server.output()).not.toContain('does not read')
  expect(await server.stop()).toBe(0)
})

/** A log as so many visitors leave it: written straight to the disk, in a second. */
async function queued(data: string): Promise<void> {
  const log = await openEmbeddedLog({
    path: join(data, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal: () => {},
  })
  const proposed = (event: object) => [
    { id: randomUUID(), event: event as { type: string }, meta: { correlationId: randomUUID(), by: 'acme.many' } },
  ]
  await log.append('presence-acme.many', -1, proposed({ type: 'CameOnline', role: 'visitor', at: Date.now() }))
  const visitor = { name: 'Many', email: null, createdAt: Date.now(), updatedAt: null }
  const opened = {
    type: 'ChatOpened',
    org: 'acme',
    visitorId: 'many',
    visitor,
    content: { text: 'I have a question about my order' },
  }
  await Promise.all(Array.from({ length: CHATS }, (_, i) => log.append(`chat-queued-${i}`, -1, proposed(opened))))
  await log.close()
}
