import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { catalogue } from '../../machines/catalogue.ts'
import { readConfig } from '../../src/config.ts'
import { all } from '../../src/contracts/all.ts'
import type { Contract } from '../../src/delivery/contract.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import { openLogger } from '../../src/observe/logger.ts'
import { serveAnew } from '../../src/serve-anew.ts'
import { poll } from '../poll/contract.ts'
import { pollKinds } from '../poll/decide.ts'
import { connect } from '../support/client.ts'
import { SECRET, startServer, tokenFor } from '../support/server.ts'
import { until } from './load.ts'

test('[NODE-8] a failure that nobody waited for is logged and counted, and everybody goes on', async () => {
  // A bug as there must be none: put into the process from outside.
  const bug = "process.once('SIGWINCH', () => void Promise.reject(new Error('forgotten by everybody')))"
  const server = await startServer({
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}` },
  })
  onTestFinished(async () => void (await server.stop()))
  const visitor = await connect(server.url, { auth: { token: await tokenFor('visitor', 'vera') } })
  onTestFinished(visitor.close)
  process.kill(server.pid, 'SIGWINCH')
  await until(() => server.output().includes('forgotten by everybody'))
  expect(await visitor.ask('visitor_first_msg', { content: 'still there?' })).toMatchObject({ 0: true })
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(/lyceum_errors_total\{where="unhandled"\} 1/)
})

test('[MISSED-10] an opening that fails while what was missed is looked for hangs up on one client', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lyceum-unawaited-'))
  let comings = 0
  const failing: Contract = {
    ...poll,
    open: (node) => ({
      ...poll.open(node),
      prepare() {
        comings++
        return comings === 2 ? Promise.reject(new LogUnavailable('the log is away')) : undefined
      },
      past: {
        // Long enough for the failure to be seen by nobody.
        streams: () => new Promise((resolve) => setImmediate(() => setImmediate(() => resolve([])))),
        feeds: () => [],
      },
    }),
  }
  const config = readConfig({ LYCEUM_DATA: directory, JWT_SECRET: SECRET, PORT: '0' })
  const what = { contracts: [...all, failing], kinds: { ...catalogue, ...pollKinds } }
  const server = await serveAnew(config, openLogger('fatal'), what, () => {})
  onTestFinished(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })
  const loose: unknown[] = []
  const hear = (error: unknown): void => void loose.push(error)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))

  const auth = { token: await tokenFor('visitor', 'vera') }
  const visitor = await connect(server.url, { auth, reconnection: true, reconnectionDelay: 10 })
  onTestFinished(visitor.close)
  await visitor.ask('visitor_first_msg', { content: 'hello' })
  visitor.socket.io.engine.close()
  await until(() => comings === 3 && visitor.socket.connected)
  expect(await visitor.ask('visitor_msg', { content: 'back again' })).toMatchObject({ 0: true })
  expect(loose).toEqual([])
})
