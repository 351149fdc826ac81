import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogue } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { readConfig } from '../../src/config.ts'
import { all } from '../../src/contracts/all.ts'
import { cursorOf } from '../../src/delivery/cursor.ts'
import { noticesOf } from '../../src/delivery/resume.ts'
import { openLogger } from '../../src/observe/logger.ts'
import type { Running } from '../../src/serve.ts'
import { serveAnew } from '../../src/serve-anew.ts'
import { openLog } from '../../src/storage.ts'
import { type Client, connect } from '../support/client.ts'
import { SECRET, tokenFor } from '../support/server.ts'
import { type Step, verify } from '../verify/verify.ts'
import { poll } from './contract.ts'
import { type PollCommand, pollKinds } from './decide.ts'
import { pollEvents } from './machine.ts'
import { pollNotices } from './notices.ts'
import { polls } from './polls.ts'

const what = { contracts: [...all, poll], kinds: { ...catalogue, ...pollKinds } }

let directory: string
let server: Running | undefined
let clients: Client[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lyceum-poll-'))
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.close()
  await server?.stop()
  server = undefined
  await rm(directory, { recursive: true, force: true })
})

const config = () => readConfig({ LYCEUM_DATA: directory, JWT_SECRET: SECRET, PORT: '0' })
const start = async (): Promise<string> => {
  server = await serveAnew(config(), openLogger('warn'), what, () => {})
  return server.url
}
const come = async (url: string, role: string, id: string): Promise<Client> => {
  const client = await connect(url, { auth: { token: await tokenFor(role, id) }, query: { protocol: '2' } })
  clients.push(client)
  return client
}
const OPENING = { question: 'When?', options: ['now', 'later'], name: 'first' }

test(
  '[CONTRACT-1] a contract that is only handed to serve is served, pushed, and there again after a ' + 'restart',
  async () => {
    let url = await start()
    const tea = await come(url, 'teacher', 'tea')
    const [opened, , { poll_id }] = (await tea.ask('open_poll', OPENING)) as [boolean, null, { poll_id: string }]
    expect(opened).toBe(true)
    const [ann, bob] = [await come(url, 'student', 'ann'), await come(url, 'student', 'bob')]
    await ann.ask('watch_poll', { poll_id })
    expect(await ann.told('poll_state')).toMatchObject({ poll_id, ...{ question: 'When?', votes: [0, 0] } })
    expect(await ann.ask('vote', { poll_id, option: 1 })).toMatchObject([true, null, { poll_id, seq: 1 }])
    expect(await bob.ask('vote', { poll_id, option: 7 })).toMatchObject([
      false,
      'no-such-option: this poll has no such option',
      { poll_id, code: 'no-such-option' },
    ])
    bob.socket.emit('vote', { poll_id, option: 0 }) // in one go: the last word counts
    bob.socket.emit('vote', { poll_id, option: 1 })
    await ann.told('poll_state', ({ votes }) => votes[1] === 2)
    const stranger = await connect(url, { auth: { token: await tokenFor('student', 'eve', 'other') } })
    clients.push(stranger)
    expect(await stranger.ask('watch_poll', { poll_id })).toEqual([
      false,
      'no-such-poll: there is no poll with this id',
    ])

    for (const client of clients.splice(0)) client.close()
    await server?.stop()
    url = await start()
    const again = await come(url, 'student', 'ann')
    await again.ask('watch_poll', { poll_id })
    expect(await again.told('poll_state')).toMatchObject({ votes: [0, 2] })
    const teacher = await come(url, 'teacher', 'tea')
    await teacher.ask('close_poll', { poll_id })
    expect(await again.told('poll_closed')).toMatchObject({ votes: [0, 2] })
  },
)

test('[CONTRACT-2] what a watcher was told after any position is made again from the log', async () => {
  const url = await start()
  const tea = await come(url, 'teacher', 'tea')
  const [, , { poll_id }] = (await tea.ask('open_poll', OPENING)) as [boolean, null, { poll_id: string }]
  await tea.ask('watch_poll', { poll_id })
  // One after another, each when the one before was pushed: the pace merges nothing.
  for (let n = 0; n < 6; n++) {
    await tea.ask('vote', { poll_id, option: n % 2 })
    await tea.told('poll_state', ({ seq }) => seq === n + 1)
  }
  await tea.ask('close_poll', { poll_id })
  await tea.told('poll_closed')
  const [, ...live] = tea.heard.filter(({ name }) => name.startsWith('poll_')) // without the opening
  await server?.stop()
  server = undefined

  const log = await openLog(config(), what.kinds, { readOnly: true, onFatal: () => {}, onTrouble: () => {} })
  const feed = { projection: polls, notices: pollNotices }
  for (const [missed, { data }] of [{ data: { pos: '-1' } }, ...live].entries()) {
    const made: unknown[] = []
    for await (const { notices } of noticesOf(log, `poll-${poll_id}`, feed, cursorOf(data.pos)?.position))
      for (const { name, data } of notices) made.push({ name, data })
    expect(made).toEqual(live.slice(missed))
  }
  await log.close()
})

test('[VERIFY-1] [VERIFY-2] a poll: the opening of a watcher and the notices since are its opening now', async () => {
  const tea: Party = { id: 'tea', org: 'acme', role: 'teacher' }
  const by = (n: number): Party => ({ id: `s${n}`, org: 'acme', role: 'student' })
  const voting = fc.tuple(fc.nat(2), fc.nat(2)).map<Step>(
    ([n, option]) =>
      ({ ask, node: { clock } }) =>
        ask('poll', 'p', { type: 'Vote', option, by: by(n), at: clock.now() }),
  )
  const closing = fc.constant<Step>(({ ask, node: { clock } }) =>
    ask('poll', 'p', { type: 'ClosePoll', by: tea, at: clock.now() }),
  )
  const seen = await verify(
    {
      contract: poll,
      kinds: what.kinds,
      arrange: ({ ask, node: { clock } }) =>
        ask('poll', 'p', { type: 'OpenPoll', question: '?', options: ['a', 'b'], by: tea, at: clock.now() }),
      steps: fc.array(fc.oneof({ weight: 8, arbitrary: voting }, closing), { minLength: 5, maxLength: 25 }),
      async watch(world) {
        const client = await world.connect(tea)
        await client.emit('watch_poll', { poll_id: 'p' })
        return client
      },
      held: (heard) => heard.at(-1)?.data,
    },
    30,
  )
  const commands: Record<PollCommand['type'], true> = { OpenPoll: true, Vote: true, ClosePoll: true }
  expect([...seen.commands]).toEqual(expect.arrayContaining(Object.keys(commands)))
  expect([...seen.events]).toEqual(expect.arrayContaining(Object.keys(pollEvents)))
  expect([...seen.names].sort()).toEqual(['poll_closed', 'poll_state'])
})
