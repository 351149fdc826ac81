import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import { type Client, connect } from '../support/client.ts'
import { openLine } from '../support/line.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '100000' } })
})
afterAll(() => server.stop())

interface Push {
  readonly name: string
  readonly data: unknown
  readonly cursor: unknown
}

/** A client that asked for cursors, with everything that it heard. */
async function exact(acme: Company, role: string, id: string, auth: object = {}, options = {}) {
  const token = await tokenFor(role, id, acme.org)
  const pushes: Push[] = []
  const client = await connect(server.url, {
    ...{ auth: { token, ...auth }, query: { resume: '1' }, ...options },
    onSocket: (socket) =>
      socket.onAny((name, data, cursor) => name !== 'connected' && pushes.push({ name, data, cursor })),
  })
  onTestFinished(() => client.close())
  return { ...client, pushes, heard: client.heard, socket: client.socket }
}
type Exact = Awaited<ReturnType<typeof exact>>
const later = ({ pushes }: Pick<Exact, 'pushes'>, cursor: unknown) =>
  pushes.slice(pushes.findLastIndex((one) => one.cursor === cursor) + 1)

/** Some chats, with everything that can be told of them. */
async function aMorning(acme: Company, ann: Client): Promise<void> {
  const bob = await acme.join('agent', 'bob')
  const sue = await acme.join('supervisor', 'sue', {}, { name: 'Sue' })
  for (const name of ['vera', 'vic', 'val']) {
    const { visitor, room } = await acme.chat(name, ann)
    await visitor.ask('visitor_msg_unclaimed', { n: 1 })
    await bob.ask('staff_join', { room })
    await bob.ask('staff_msg', { room, content: { n: 2 } })
    await visitor.ask('visitor_msg', { n: 3 })
    await ann.ask('change_chat_priority', { room, severity_level: 1 })
    await sue.ask('change_chat_priority', { room, severity_level: 2 })
    await sue.ask('take_over_chat', { room })
    await sue.ask('staff_msg', { room, content: { n: 4 } })
    if (name === 'vic') await visitor.ask('visitor_leave_room')
    else await sue.ask('staff_leave_room', { room })
    visitor.close()
  }
  sue.close()
  await (await acme.join('supervisor', 'sue', {}, { name: 'Susan' })).ask('change_chat_priority', {})
  bob.close()
}

test.each(['agent', 'supervisor'])(
  '[RESUME-1] a cursor of any push, sent as auth.after, brings exactly the pushes that came after it (%s)',
  async (role) => {
    const acme = company(server)
    const ann = await acme.join('agent', 'ann')
    const stayer = await exact(acme, role, 'stayer')
    await aMorning(acme, ann)
    await acme.fence(stayer, ann)
    expect(stayer.pushes.length).toBeGreaterThan(25)
    const until = stayer.pushes.length
    for (const { cursor } of stayer.pushes.filter((_, n) => n % 7 === 0 || n > until - 3)) {
      expect(cursor).toMatch(/^\d+$/)
      const back = await exact(acme, role, 'stayer', { after: cursor })
      const missed = later({ pushes: stayer.pushes.slice(0, until) }, cursor)
      await acme.fence(back)
      expect(back.pushes.slice(0, missed.length)).toEqual(missed)
      expect(back.all('staff_init')).toEqual([])
      back.close()
    }
    acme.close()
  },
)

test('[RESUME-7] so it is late in a chat that is long, and costs what was missed', async () => {
  const acme = company(server)
  const ann = await exact(acme, 'agent', 'ann')
  const stayer = await exact(acme, 'supervisor', 'stayer')
  const { visitor, room } = await acme.chat('vera', ann)
  await ann.ask('staff_join', { room })
  const LONG = 1_200 // some pages of the log, and more than a node keeps of one stream
  for (
    let n = 0;
    n < LONG;
    n += 100 // as many as wait for one chat
  )
    await Promise.all(Array.from({ length: 100 }, (_, more) => visitor.ask('visitor_msg', { n: n + more })))
  await ann.ask('change_chat_priority', { room, severity_level: 3 })
  await visitor.ask('visitor_msg', { n: LONG })
  await ann.ask('staff_msg', { room, content: { n: 'last' } })
  await visitor.ask('visitor_leave_room')
  await acme.fence(stayer, ann)
  for (const [who, role] of [
    [stayer, 'supervisor'],
    [ann, 'agent'],
  ] as const) {
    const until = who.pushes.length
    for (const from of [-2, -4, -6, -100, -1_100]) {
      const { cursor } = who.pushes[until + from] ?? {}
      expect(cursor).toMatch(/^\d+$/)
      const missed = later({ pushes: who.pushes.slice(0, until) }, cursor)
      const back = await exact(acme, role, role === 'agent' ? 'ann' : 'stayer', { after: cursor })
      await acme.fence(back)
      expect(back.pushes.slice(0, missed.length)).toEqual(missed)
      back.close()
    }
  }
  acme.close()
})

test(
  '[RESUME-2] an official client with resume=1 recovers by itself, over any cut, and hears each ' + 'push once',
  async () => {
    const acme = company(server)
    const line = await openLine(server.url)
    onTestFinished(() => line.close())
    const ann = await acme.join('agent', 'ann')
    const stayer = await exact(acme, 'supervisor', 'sue')
    const token = await tokenFor('supervisor', 'sue', acme.org)
    const traveller = await connect(line.url, {
      ...{ auth: { token }, query: { resume: '1' } },
      ...{ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, timeout: 500 },
    })
    onTestFinished(() => traveller.close())
    await traveller.told('cursor')
    const recovered: boolean[] = []
    traveller.socket.on('connect', () => recovered.push(traveller.socket.recovered))
    for (const name of ['vera', 'vic', 'val']) {
      const gone = new Promise((left) => traveller.socket.once('disconnect', left))
      line.down()
      const { visitor, room } = await acme.chat(name, ann)
      await ann.ask('staff_join', { room })
      await gone
      line.mend()
      await ann.ask('staff_msg', { room, content: { n: 1 } })
      await visitor.ask('visitor_leave_room')
      await traveller.told('visitor_leave_chat_for_supervisor', (data) => data.room === room)
    }
    await acme.fence(stayer, traveller)
    expect(recovered).toEqual([true, true, true])
    const named = ({ heard }: Client) => heard.filter(({ name }) => !['staff_init', 'cursor'].includes(name))
    expect(named(traveller)).toEqual(named(stayer))
    expect(traveller.all('staff_init')).toHaveLength(1)
  },
)

test('[RESUME-3] a cursor that this log does not know is told so, and the client is told how it stands', async () => {
  const acme = company(server)
  const stayer = await exact(acme, 'agent', 'ann')
  await stayer.told('cursor')
  const known = BigInt(String(stayer.pushes.at(-1)?.cursor))
  const future = known + (1_000_000n << 40n)
  const another = known ^ (0xffn << 8n)
  for (const after of [String(future), String(another), 'nonsense', 7, { a: 1 }, { toString: 1, valueOf: 1 }]) {
    const back = await exact(acme, 'agent', 'ann', { after })
    expect((await back.told('cursor_unknown')).code).toBe('cursor-unknown')
    await back.told('staff_init')
    expect(back.heard[0]?.name).toBe('cursor_unknown')
    back.close()
  }
  const wrong = await exact(acme, 'agent', 'ann', { pid: 'x', offset: String(future) })
  await wrong.told('staff_init')
  expect(wrong.all('cursor_unknown')).toHaveLength(1)
  acme.close()
})

test.each(['', null])('[RESUME-3] an auth.after that is %j is as good as none', async (after) => {
  const acme = company(server)
  const back = await exact(acme, 'agent', 'ann', { after })
  await back.told('cursor')
  expect(back.heard[0]?.name).toBe('staff_init')
  expect(back.all('cursor_unknown')).toEqual([])
  acme.close()
})

test.each(['0', '-1'])('[RESUME-9] the cursor %s brings everything from the beginning', async (start) => {
  const acme = company(server)
  const stayer = await exact(acme, 'supervisor', 'sue')
  await stayer.told('cursor')
  await aMorning(acme, await acme.join('agent', 'ann'))
  await acme.fence(stayer)
  const told = stayer.pushes.filter(({ name }) => name !== 'staff_init' && name !== 'cursor')
  expect(told.length).toBeGreaterThan(25)
  const back = await exact(acme, 'supervisor', 'sue', { after: start })
  await acme.fence(back)
  for (const name of ['staff_init', 'cursor_unknown']) expect(back.all(name)).toEqual([])
  expect(back.pushes.slice(0, told.length)).toEqual(told)
  const answer = await fetch(`${server.url}/api/v1/notices?after=${start}&limit=${told.length}`, {
    headers: { Authorization: `Bearer ${await tokenFor('supervisor', 'sue', acme.org)}` },
  })
  const { data } = (await answer.json()) as { data: { event: string; data: object; cursor: string }[] }
  expect(data.map(({ event: name, data, cursor }) => ({ name, data, cursor }))).toEqual(told)
  acme.close()
})

test('[RESUME-4] a client that polls /api/v1/notices is told the same, page by page', async () => {
  const acme = company(server)
  const ann = await acme.join('agent', 'ann')
  const stayer = await exact(acme, 'supervisor', 'sue')
  const token = await tokenFor('supervisor', 'sue', acme.org)
  const page = async (query: string) => {
    const answer = await fetch(`${server.url}/api/v1/notices${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    return {
      status: answer.status,
      body: (await answer.json()) as { data: { event: string; data: object; cursor: string }[]; next: string },
    }
  }
  const start = (await page('?after=')).body.next
  expect((await page('')).body.next).toBe(start)
  await aMorning(acme, ann)
  await acme.fence(stayer, ann)
  const polled: Push[] = []
  for (let after = start; ; ) {
    const { body } = await page(`?after=${after}&limit=7`)
    polled.push(...body.data.map(({ event: name, data, cursor }) => ({ name, data, cursor })))
    if (body.data.length < 7) break
    expect(body.next).toBe(body.data.at(-1)?.cursor)
    after = body.next
  }
  const told = stayer.pushes.filter(({ name }) => name !== 'staff_init' && name !== 'cursor')
  expect(polled.slice(-told.length)).toEqual(told)
  expect((await page('?after=99999999999999999999999')).status).toBe(409)
  expect((await page('?after=x')).status).toBe(409)
  expect((await page('?limit=0')).status).toBe(400)
  expect((await fetch(`${server.url}/api/v1/notices`)).status).toBe(401)
  acme.close()
})

test('[RESUME-10] who logs in in another one’s place, in the same page, is told how it stands', async () => {
  const acme = company(server)
  const logins = [
    ['agent', 'ann', acme.org, 'staff_init'],
    ['visitor', 'vic', acme.org, 'visitor_init'],
    ['agent', 'bob', acme.org, 'staff_init'],
    ['agent', 'bob', `${acme.org}-other`, 'staff_init'],
  ] as const
  let nth = 0
  const { socket, heard } = await connect(server.url, {
    ...{ query: { resume: '1' }, reconnection: true, reconnectionDelay: 20 },
    auth: (send) => {
      const [role, id, org] = logins[nth] ?? logins[0]
      void tokenFor(role, id, org).then((token) => send({ token }))
    },
  })
  onTestFinished(() => void socket.close())
  const openings = () => heard.flatMap(({ name }) => (name.endsWith('_init') ? [name] : []))
  const due: string[] = [logins[0][3]]
  await expect.poll(openings).toEqual(due)
  for (nth = 1; nth < logins.length; nth++) {
    const back = new Promise<void>((came) => socket.once('connect', () => came()))
    if (nth === 2)
      socket.io.engine.close() // lost, and somebody else's token comes back
    else socket.disconnect().connect()
    await back
    expect(socket.recovered).toBe(false)
    due.push(logins[nth]?.[3] ?? '')
    await expect.poll(openings).toEqual(due)
  }
  // And they themselves go on.
  nth = logins.length - 1
  const back = new Promise<void>((came) => socket.once('connect', () => came()))
  socket.io.engine.close()
  await back
  expect(socket.recovered).toBe(true)
  expect(openings()).toEqual(due)
  acme.close()
})
