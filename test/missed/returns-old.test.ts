import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { company } from '../contracts/company.ts'
import { receiptsIn } from '../support/confirmed.ts'
import { openLine } from '../support/line.ts'
import { oldIo } from '../support/old-client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let data: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-'))
  server = await startServer({ data, env: { DISCONNECT_GRACE_MS: '60000' } })
})
afterAll(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

test.each(['polling', 'websocket'])(
  '[MISSED-11] a client of Engine.IO 3 that comes back is told what it has missed, and nothing twice (%s)',
  async (transport) => {
    const acme = company(server)
    onTestFinished(() => acme.close())
    const line = await openLine(server.url)
    onTestFinished(() => line.close())
    const ann = await acme.join('agent', 'ann')
    const token = await tokenFor('visitor', 'vera', acme.org)
    const options = { transports: [transport], query: { auth: token }, reconnectionDelay: 20, forceNew: true }
    const vera = oldIo(line.url, options) as ReturnType<typeof oldIo> & { readonly id: string }
    onTestFinished(() => vera.close())
    const heard: unknown[] = []
    let connects = 0
    vera.on('connect', () => void connects++)
    vera.on('staff_send', (({ content }: { content: { n: number } }) => heard.push(content.n)) as never)
    await expect.poll(() => connects, { timeout: PATIENCE_MS }).toBe(1)
    vera.emit('visitor_first_msg', { content: { n: 0 } })
    const { room } = (await ann.told('append_unclaimed_chats')) as { room: { id: string } }
    expect(await ann.ask('staff_join', { room: room.id })).toEqual([true, null])

    const says = async (n: number): Promise<void> =>
      expect(await ann.ask('staff_msg', { room: room.id, content: { n } })).toEqual([true, null])
    /** Known to have arrived without a word of hers. */
    const isKnown = async (): Promise<boolean> => {
      const { next } = (await (await acme.http('visitor', '/api/v1/notices')).json()) as { next: string }
      const cursors = [...(await receiptsIn(data)).matchAll(new RegExp(`${vera.id} (\\d+)`, 'g'))]
      return BigInt(cursors.at(-1)?.[1] ?? 0) >= BigInt(next)
    }
    for (let round = 1; round <= 3; round++) {
      await says(10 * round)
      await expect.poll(() => heard.at(-1), { timeout: PATIENCE_MS }).toBe(10 * round)
      await expect.poll(isKnown, { timeout: 5_000 }).toBe(true)
      line.down()
      await expect.poll(() => vera.connected, { timeout: PATIENCE_MS }).toBe(false)
      await says(10 * round + 1)
      line.mend()
      await expect.poll(() => connects, { timeout: PATIENCE_MS }).toBe(round + 1)
      await says(10 * round + 2)
      await expect.poll(() => heard.at(-1), { timeout: PATIENCE_MS }).toBe(10 * round + 2)
    }
    expect(heard).toEqual([10, 11, 12, 20, 21, 22, 30, 31, 32])
  },
)
