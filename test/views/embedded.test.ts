import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedViews } from '../../src/views/embedded.ts'
import { ViewsUnavailable } from '../../src/views/store.ts'
import { count } from './embedded-counter.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'lyceum-views-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

test('two processes that commit to one table lose nothing and repeat nothing', async () => {
  const script = new URL('./embedded-counter.ts', import.meta.url).pathname
  const other = promisify(execFile)(process.execPath, [script, path, 'trial.v1.a', '300'])
  await count(path, 'trial.v1.a', 300)
  await other
  const store = await openEmbeddedViews(path)
  // A look at what this process saw a moment ago may still be kept; what is lost would never come.
  await expect
    .poll(() => store.read('trial.v1.a', ['count']))
    .toEqual({
      upTo: { position: 600n, id: 'event-600' },
      rows: [600],
    })
  await store.close()
})

test('[PAST-5] everything is there again after closing and opening', async () => {
  const before = await openEmbeddedViews(path)
  await before.commit('trial.v1.a', null, { position: 5n, id: 'fifth' }, [
    { key: 'a', row: { seq: 0 }, added: ['i'], removed: [] },
  ])
  await before.promote('trial', null, 'trial.v1.a')
  await before.close()
  const after = await openEmbeddedViews(path)
  expect(await after.live('trial')).toBe('trial.v1.a')
  expect(await after.scan('trial.v1.a', { from: '', to: '~', limit: 9 })).toEqual({
    upTo: { position: 5n, id: 'fifth' },
    entries: [{ index: 'i', key: 'a', row: { seq: 0 } }],
  })
  await after.close()
})

test('a closed store is ViewsUnavailable', async () => {
  const store = await openEmbeddedViews(path)
  await store.close()
  await expect(store.live('trial')).rejects.toThrow(ViewsUnavailable)
  await expect(store.commit('trial.v1.a', null, { position: 1n, id: 'first' }, [])).rejects.toThrow(ViewsUnavailable)
})
