import { expect, onTestFinished, test } from 'vitest'
import { sized } from '../support/sized.ts'
import { slowly } from '../support/slowness.ts'
import { openCluster } from './cluster.ts'
import { openLoad, until } from './load.ts'

/** Acknowledgements that show that everybody is served again. */
const ENOUGH = sized(100, 400)

test('[PAST-1] [PAST-4] a backup is put back under load, and once more: calls go on, each is told once', async () => {
  const cluster = await openCluster(2, { LEASE_MS: String(slowly(2_000)) })
  onTestFinished(cluster.close)
  const load = await openLoad({ urls: cluster.urls, chats: 12, agents: 4, supervisors: 2, paceMs: 20 })
  onTestFinished(load.close)
  load.start()
  const goOn = async (): Promise<void> => {
    const before = load.acked()
    await until(() => load.acked() > before + ENOUGH)
  }
  await goOn()
  const backup = cluster.log.store.backup()
  for (const times of [1, 2]) {
    await goOn()
    await cluster.log.restore(backup)
    await until(() => cluster.logged('error').length >= 2 * times)
    await goOn()
  }
  await load.pause()

  let verified = ''
  await until(async () => {
    verified = await cluster.verify().catch((error: Error) => `not yet: ${error.message}`)
    return !verified.startsWith('not yet')
  }).catch(() => {})
  for (const view of ['chats', 'online', 'people']) expect(verified).toContain(`${view}: equal`)
  for (const line of cluster.logged('error')) expect(line).toContain('another past')
  expect(cluster.logged('error')).toHaveLength(4)
  // What was acknowledged since the last time is there, in its order and without a gap.
  const revisions = new Map<string, number>()
  for (const { stream, revision } of await cluster.recorded()) {
    expect(revision, stream).toBe((revisions.get(stream) ?? -1) + 1)
    revisions.set(stream, revision)
  }
})
