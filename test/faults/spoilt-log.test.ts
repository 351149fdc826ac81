import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { company } from '../contracts/company.ts'
import { flip } from '../log/files-world.ts'
import { freshData } from '../support/data.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { NO_DISK, smallDisk } from '../support/small-disk.ts'
import { lyceum } from './command-line.ts'
import { until } from './load.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly why?: string
}

const errors = (server: TestServer): readonly Line[] =>
  server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ level }) => level >= 50)

/** Spoils the record in the log of this directory that holds a text. */
function spoil(data: string, text: string): void {
  for (const name of readdirSync(join(data, 'log')).filter((one) => one.endsWith('.seg'))) {
    const file = join(data, 'log', name)
    const byte = readFileSync(file).indexOf(text)
    if (byte >= 0) flip(file, byte * 8)
  }
}

test.for(['with its views', 'with views that are made again'])(
  '[DISK-5] a chat with a spoilt event is damaged, and everybody else is served, %s',
  async (how) => {
    const data = await freshData()
    const env = { DISCONNECT_GRACE_MS: '600000' }
    const before = await startServer({ data, env })
    const then = company(before, 'websocket', 'acme')
    const ann = await then.join('agent', 'ann')
    const { visitor, room: spoilt } = await then.chat('vera', ann)
    const { room: whole } = await then.chat('walter', ann)
    for (const n of [1, 2, 3]) await visitor.ask('visitor_msg', { text: `line ${n}` })
    await then.fence(ann)
    before.kill('SIGKILL')
    await before.ended
    then.close()
    spoil(data, 'line 3')
    if (how !== 'with its views') await rm(join(data, 'views'), { recursive: true })
    const server = await startServer({ data, env })
    const now = company(server, 'websocket', 'acme')
    const bob = await now.join('agent', 'bob')
    expect(await bob.ask('staff_join', { room: spoilt })).toEqual([false, expect.stringMatching(/^damaged: /)])
    expect((await bob.ask('staff_join', { room: whole }))[0]).toBe(true)
    const { room: fresh } = await now.chat('new', bob)
    expect(fresh).not.toBe(spoilt)
    // Events before the damage are shown, with a note.
    const shown = await now.http('supervisor', `/api/v1/chats/${spoilt}/events`)
    expect(await shown.json()).toMatchObject({ data: [{ seq: 0 }, { seq: 1 }, { seq: 2 }] })
    const told = errors(server).filter(({ msg }) => msg.startsWith('a stream is damaged'))
    expect(told).toHaveLength(1)
    expect(errors(server).filter(({ msg }) => msg.includes('.seg'))).toEqual([])
    expect(told[0]?.why).toMatch(/its record in .*\.seg, at byte \d+, does not match its checksum \(position \d+\)/)
    expect(await lyceum(['views', 'verify'], { LYCEUM_DATA: data })).not.toContain('DIFFERENT')
    now.close()
    expect(await server.stop()).toBe(0)
  },
)

test('[DISK-6] while the disk under the log is full calls are put off, reads go on, and then everything does', async ({
  skip,
}) => {
  const data = await freshData()
  const disk = smallDisk(8, join(data, 'log'))
  if (!disk) return skip(NO_DISK)
  const server = await startServer({ data, env: { RATE_PER_PERSON: '100000', DISCONNECT_GRACE_MS: '600000' } })
  const acme = company(server)
  const ann = await acme.join('agent', 'ann')
  const { visitor, room } = await acme.chat('vera', ann)
  await ann.ask('staff_join', { room }) // what waits for nobody is not bounded
  disk.fill()
  const text = 'x'.repeat(8_000)
  let acked = 0
  let answer: unknown[] = []
  for (;;) {
    answer = await visitor.ask('visitor_msg', { text })
    if (answer[0] !== true) break
    acked++
  }
  expect(answer).toEqual([false, expect.stringMatching(/^unavailable/)])
  const ready = await fetch(`${server.url}/readyz`)
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({ data: { log: expect.stringMatching(/^the disk under .* is full/) } })
  expect(await acme.events(room)).toHaveLength(Math.min(acked + 2, 1_000))
  expect(errors(server).map(({ msg }) => msg)).toEqual([
    expect.stringMatching(/^nothing can be recorded: the disk under .* is full \(ENOSPC\)/),
  ])
  disk.empty()
  await until(async () => (await fetch(`${server.url}/readyz`)).status === 200)
  expect(await visitor.ask('visitor_msg', { text: 'again' })).toEqual([true, null])
  expect(await acme.events(room)).toHaveLength(Math.min(acked + 3, 1_000))
  acme.close()
  expect(await server.stop()).toBe(0)
})
