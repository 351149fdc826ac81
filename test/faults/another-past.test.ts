import { expect, onTestFinished, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import { type Client, connect } from '../support/client.ts'
import { type TestServer, tokenFor } from '../support/server.ts'
import { slowly } from '../support/slowness.ts'
import { embeddedWorld, eventStoreWorld, type World } from './another-past-world.ts'

interface Row {
  readonly what: string
  readonly world: () => Promise<World>
  /** What is done between the end of what was known and the moment from which time counts. */
  readonly happens: (world: World) => Promise<void>
  /** Nodes run on, and their clients come back by themselves. */
  readonly running: boolean
  /** The log does not hold what it held. */
  readonly lost: boolean
  /** Something that is stored, or in memory, knows more than the log. */
  readonly isNews: boolean
}

/** Everything is to be right again within so long. */
const WITHIN_MS = 10_000

const whileDown = (act: (world: World) => Promise<void>) => async (world: World) => {
  await world.stop()
  await act(world)
  await world.start()
}

const store = { world: eventStoreWorld, lost: true, isNews: true }
const disk = { world: embeddedWorld, lost: true, isNews: true, running: false }
const ROWS: readonly Row[] = [
  { ...store, what: 'an older backup, two nodes running', running: true, happens: (world) => world.restoreLog() },
  { ...store, what: 'another log, two nodes running', running: true, happens: (world) => world.replaceLog() },
  {
    ...store,
    what: 'an older backup at the start, behind an old Redis',
    running: false,
    happens: whileDown((world) => world.restoreLog()),
  },
  {
    ...store,
    what: 'another log at the start, behind an old Redis',
    running: false,
    happens: whileDown((world) => world.replaceLog()),
  },
  {
    ...store,
    what: 'the log kept, older views',
    running: false,
    lost: false,
    isNews: false,
    happens: whileDown((world) => world.restoreViews()),
  },
  { ...disk, what: 'an older log on disk, its views kept', happens: whileDown((world) => world.restoreLog()) },
  { ...disk, what: 'another log on disk, the views kept', happens: whileDown((world) => world.replaceLog()) },
  {
    ...disk,
    what: 'an older log on disk with its views',
    happens: whileDown(async (world) => {
      await world.restoreLog()
      await world.restoreViews()
    }),
  },
  {
    ...disk,
    what: 'all of an older data directory',
    isNews: false,
    happens: whileDown((world) => world.restoreAll()),
  },
  {
    ...disk,
    what: 'the log on disk kept, older views',
    lost: false,
    isNews: false,
    happens: whileDown((world) => world.restoreViews()),
  },
]

test.each(ROWS)(
  '[PAST-1] [PAST-2] [PAST-3] [PAST-4] $what',
  async ({ what, world: open, happens, running, lost, isNews }) => {
    const world = await open()
    onTestFinished(world.close)
    await world.start()
    const kept = await aChat(world.nodes, 'vera')
    await world.backUp()
    const gone = await aChat(world.nodes, 'vic')
    const others = world.nodes.map((node) => aStayer(node))
    const stayers = await Promise.all(others)
    const cursor = await lastCursor(world.nodes[0] as TestServer, gone)
    const before = stayers.map(({ heard }) => heard.length)

    await happens(world)
    const began = performance.now()
    const limit = slowly(WITHIN_MS)

    const right = { timeout: limit }
    for (const node of world.nodes) await expect.poll(() => readyOf(node), right).toBe(200)
    if (running)
      for (const [n, stayer] of stayers.entries())
        await expect
          .poll(() => stayer.heard.slice(before[n]).filter(({ name }) => name === 'staff_init').length, right)
          .toBeGreaterThan(0)
    await expect
      .poll(() => world.verify().catch((error: Error) => error.message), right)
      .not.toMatch(/DIFFERENT|failed/)
    await pushesArrive(world.nodes)
    expect(performance.now() - began, 'all of it in time').toBeLessThan(limit)

    // The chat that the backup has is there, the one that it has not is nowhere.
    const room = await roomsOf(world.nodes)
    if (!/another log/.test(what)) expect(room).toContain(kept.room)
    expect(room.includes(gone.room)).toBe(!lost)
    expect(await isUnknown(world.nodes[0] as TestServer, cursor)).toBe(lost)

    for (const node of world.nodes) {
      await expect.poll(() => errorsOf(node).length, right).toBe(isNews ? 1 : 0)
      const [line] = errorsOf(node)
      const position = /^lyceum_log_differs_from_position (\d+)$/m.exec(await pageOf(node))?.[1]
      expect(position).toBe(line?.position ?? '0')
      if (line) expect(line.msg).toMatch(/another past/)
    }
  },
)

const ORG = 'acme'
const at = (node: TestServer): Company => {
  const acme = company(node, 'websocket', ORG)
  onTestFinished(() => acme.close())
  return acme
}

/** A chat over all nodes: opened on the first, answered on the last. */
async function aChat(nodes: readonly TestServer[], visitor: string): Promise<{ room: string }> {
  const [first, last] = [at(nodes[0] as TestServer), at(nodes.at(-1) as TestServer)]
  const ann = await last.join('agent', `ann-of-${visitor}`)
  const { visitor: client, room } = await first.chat(visitor, ann)
  expect((await ann.ask('staff_join', { room }))[0]).toBe(true)
  for (let n = 0; n < 5; n++) {
    expect((await client.ask('visitor_msg', { text: `message ${n}` }))[0]).toBe(true)
    expect((await ann.ask('staff_msg', { room, content: { text: `answer ${n}` } }))[0]).toBe(true)
  }
  first.close()
  last.close()
  return { room }
}

/** An official client that stays, and comes back by itself. */
async function aStayer(node: TestServer): Promise<Client> {
  const token = await tokenFor('supervisor', `sue-${node.pid}`, ORG)
  const client = await connect(node.url, { auth: { token }, query: { resume: '1' }, reconnection: true })
  onTestFinished(() => client.close())
  await client.told('staff_init')
  return client
}

/** The cursor of somebody who has heard all of this. */
async function lastCursor(node: TestServer, { room }: { room: string }): Promise<string> {
  const acme = at(node)
  const { told } = await acme.join('agent', 'cora', { query: { resume: '1' } })
  const { pos } = await told('cursor')
  expect(await (await acme.http('admin', `/api/v1/chats/${room}`)).status).toBe(200)
  acme.close()
  return pos
}

/** Whether somebody who comes with this cursor is told that it is none of this log, polling and over a socket. */
async function isUnknown(node: TestServer, after: string): Promise<boolean> {
  const token = await tokenFor('agent', 'cora', ORG)
  const headers = { Authorization: `Bearer ${token}` }
  const polled = await fetch(`${node.url}/api/v1/notices?after=${after}`, { headers })
  if (polled.status === 200) return false
  expect(await polled.text()).toContain('cursor-unknown')
  const client = await connect(node.url, { auth: { token, after }, query: { resume: '1' } })
  onTestFinished(() => client.close())
  await client.told('cursor_unknown')
  await client.told('staff_init')
  return true
}

async function pushesArrive(nodes: readonly TestServer[]): Promise<void> {
  for (const [n, node] of nodes.entries()) {
    const [here, there] = [at(node), at(nodes[(n + 1) % nodes.length] as TestServer)]
    const ann = await here.join('agent', `ann-after-${n}`)
    await there.chat(`after-${n}-${Date.now()}`, ann) // resolves when she was told of it
    here.close()
    there.close()
  }
}

async function roomsOf(nodes: readonly TestServer[]): Promise<readonly string[]> {
  const answer = await at(nodes[0] as TestServer).http('admin', '/api/v1/chats?limit=100')
  const { data } = (await answer.json()) as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

const readyOf = (node: TestServer): Promise<number> =>
  fetch(`${node.url}/readyz`).then(
    ({ status }) => status,
    () => 0,
  )

const pageOf = async (node: TestServer): Promise<string> => (await fetch(`${node.url}/metrics`)).text()

const errorsOf = (node: TestServer): { readonly msg: string; readonly position: string }[] =>
  node
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level >= 50)
