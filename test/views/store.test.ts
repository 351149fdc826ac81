import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedViews } from '../../src/views/embedded.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { openRedisViews } from '../../src/views/redis.ts'
import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { viewStoreSuite } from './suite.ts'

viewStoreSuite('memory', async () => {
  const store = memoryViews()
  return { store, other: store, close: () => store.close() }
})

viewStoreSuite('embedded', async () => {
  const path = await mkdtemp(join(tmpdir(), 'lyceum-views-'))
  const store = await openEmbeddedViews(path)
  return {
    store,
    // A second handle in one process shares the environment; another process is tested below.
    other: store,
    async close() {
      await store.close()
      await rm(path, { recursive: true, force: true })
    },
  }
})

viewStoreSuite('redis', async () => {
  const server = await startRedis()
  const store = await openRedisViews({ url: server.url })
  const other = await openRedisViews({ url: server.url })
  return {
    store,
    other,
    async close() {
      await Promise.all([store.close(), other.close()])
      await server.stop()
    },
  }
})

describe('the redis view store and its server', () => {
  let server: RedisServer
  let store: ViewStore

  beforeAll(async () => {
    server = await startRedis()
    store = await openRedisViews({ url: server.url, commandTimeoutMs: 300 })
  })
  afterAll(async () => {
    await store.close()
    await server.stop()
  })

  const answered = async () => {
    for (;;) {
      try {
        return await store.live('trial')
      } catch (error) {
        if (!(error instanceof ViewsUnavailable)) throw error
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }

  test('a killed server is ViewsUnavailable at once, a restarted one answers again and is empty', async () => {
    await store.promote('trial', null, 'trial.v1.a')
    await store.commit('trial.v1.a', null, at(1n), [{ key: 'a', row: 1, added: ['i'], removed: [] }])
    await server.kill()
    await expect(store.read('trial.v1.a', ['a'])).rejects.toThrow(ViewsUnavailable)
    await expect(store.commit('trial.v1.a', at(1n), at(2n), [])).rejects.toThrow(ViewsUnavailable)
    await server.restart()
    expect(await answered()).toBe(null)
    expect(await store.commit('trial.v1.a', at(1n), at(2n), [])).toBe(false)
    expect(await store.commit('trial.v1.a', null, at(2n), [])).toBe(true)
  })

  test('a server that hangs is ViewsUnavailable after the timeout', async () => {
    server.pause()
    await expect(store.live('trial')).rejects.toThrow(ViewsUnavailable)
    server.resume()
    await answered()
  })

  test('a server that is down at the start is waited for', async () => {
    await server.kill()
    const early = await openRedisViews({ url: server.url })
    await expect(early.live('trial')).rejects.toThrow(ViewsUnavailable)
    await server.restart()
    await expect.poll(() => early.live('trial').catch(() => 'down')).toBe(null)
    await early.close()
    await answered()
  })

  test('a url that is none is refused with an example', async () => {
    await expect(openRedisViews({ url: 'localhost' })).rejects.toThrow(
      'must look like redis://host:6379, got "localhost"',
    )
  })
})

/** An event that stands there. */
const at = (position: bigint) => ({ position, id: `event-${position}` })
