import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { catalogue } from '../../machines/catalogue.ts'
import type { Role } from '../../machines/kernel.ts'
import { readConfig } from '../../src/config.ts'
import { openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { openLog } from '../../src/storage.ts'
import { lastingPort, lyceum } from '../faults/command-line.ts'
import { connect } from '../support/client.ts'
import { call } from '../support/lessons.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { rawGet } from './raw-http.ts'

const scratch = mkdtempSync(join(tmpdir(), 'lyceum-org-'))
const data = join(scratch, 'known')
let server: TestServer
let env: Record<string, string>
beforeAll(async () => {
  await recordAsBefore()
  env = { ORGANISATIONS: 'known', PORT: String(await lastingPort()), LYCEUM_DATA: data }
  server = await startServer({ env, data })
})
afterAll(async () => {
  await server.stop()
  rmSync(scratch, { recursive: true, force: true })
})

/** A log from before there were events of organisations. */
async function recordAsBefore(): Promise<void> {
  const config = readConfig({ LYCEUM_DATA: data })
  const log = await openLog(config, catalogue, { onFatal: () => {}, onTrouble: () => {} })
  const entities = openEntities({ log, snapshots: memorySnapshots(), shared: false, now: Date.now, idleMs: 60_000 })
  const at = Date.now()
  const introduce = (org: string, id: string, role: Role) => {
    const command = { type: 'Introduce', role, profile: {}, issuedAt: 1, by: { org, id, role }, at } as const
    return entities.ask('person', `${org}.${id}`, command)
  }
  await introduce('old-desk', 'ann', 'agent')
  await introduce('old-guests', 'vera', 'visitor')
  const by = { org: 'old-school', id: 'tea', role: 'teacher' } as const
  await entities.ask('course', 'c1', { type: 'CreateCourse', title: 'Algebra', teacherIds: [], by, at })
  await entities.stop()
  await log.close()
}

const came = async (role: string, id: string, org: string, url = server.url): Promise<void> => {
  const client = await connect(url, {
    auth: { token: await tokenFor(role, id, org) },
    ...{ reconnection: true, reconnectionDelay: 50 },
  })
  onTestFinished(() => client.close())
}
const REFUSED = { data: { code: 401, message: expect.stringContaining('lyceum org create') } }

test('[OPENED-2] [OPENED-5] a visitor of an organisation that nobody opened is refused at every door', async () => {
  const org = 'nobodys'
  const token = await tokenFor('visitor', 'vera', org)
  for (let n = 0; n < 3; n++) await expect(came('visitor', 'vera', org)).rejects.toMatchObject(REFUSED)
  for (const transport of ['polling', 'websocket']) {
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
    const answer = await rawGet(`${server.url}/socket.io/?EIO=4&transport=${transport}`, {
      ...(transport === 'websocket' ? { ...upgrade, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } : {}),
      Authorization: token,
    })
    expect(answer.status, transport).toBe(401)
    expect(await answer.json()).toMatchObject({ error: { code: 'organisation-unknown' } })
  }
  expect(await call(server.url, token, 'GET', '/users/me')).toMatchObject({
    ...{ status: 401, body: { error: { code: 'organisation-unknown' } } },
  })
  const asked = await fetch(`${server.url}/api/v1/auth/visitor`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ org_id: org }),
  })
  expect(asked.status).toBe(403)
  expect(await asked.json()).toMatchObject({ error: { code: 'no-such-organisation' } })
  const told = server
    .output()
    .split('\n')
    .filter((line) => line.includes('"org":"nobodys"'))
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('lyceum org create nobodys')
})

test('[OPENED-1] [OPENED-2] it is let in once somebody who is no visitor has come, over HTTP, too', async () => {
  await expect(came('visitor', 'vera', 'desk')).rejects.toMatchObject(REFUSED)
  await came('agent', 'ann', 'desk')
  await came('visitor', 'vera', 'desk')
  await expect(came('visitor', 'vera', 'school')).rejects.toMatchObject(REFUSED)
  expect((await call(server.url, await tokenFor('teacher', 'tea', 'school'), 'GET', '/courses')).status).toBe(200)
  await came('visitor', 'vera', 'school')
})

test('[OPENED-4] organisations of an older log are known by who is in it, and what teachers made', async () => {
  await came('visitor', 'vera', 'old-desk')
  await came('visitor', 'vera', 'old-school')
  await expect(came('visitor', 'vera', 'old-guests')).rejects.toMatchObject(REFUSED)
})

test('[OPENED-6] lyceum org create opens one beside a server, and list shows all', async () => {
  await expect(came('visitor', 'vera', 'shop')).rejects.toMatchObject(REFUSED)
  expect(await lyceum(['org', 'create', 'shop', '--title', 'The Shop'], env)).toBe('shop is open: The Shop\n')
  await came('visitor', 'vera', 'shop')
  expect(await lyceum(['org', 'create', 'shop'], env)).toBe('shop is open: The Shop\n')
  const listed = await lyceum(['org', 'list'], env)
  expect(listed).toMatch(/^shop +opened \S+ by \w+: The Shop$/m)
  expect(listed).toMatch(/^old-desk +/m)
  expect(listed).not.toMatch(/nobodys|old-guests/)
  expect((await call(server.url, await tokenFor('agent', 'ann', 'shop'), 'POST', '/organisation', {})).status).toBe(403)
})

test('[OPENED-3] [OPENED-6] without a setting visitors come first; create and list work without a server', async () => {
  const own = join(scratch, 'open')
  const at = { LYCEUM_DATA: own }
  expect(await lyceum(['org', 'create', 'mine'], at)).toBe('mine is open\n')
  expect(await lyceum(['org', 'list'], at)).toMatch(/^mine +opened \S+ by command\n$/)
  await expect(lyceum(['org', 'create', 'not.one'], at)).rejects.toThrow('1 to 64 of the characters')
  const open = await startServer({ data: own })
  onTestFinished(async () => void (await open.stop()))
  await came('visitor', 'vera', 'anybodys', open.url)
  expect(await lyceum(['org', 'list'], at)).not.toContain('anybodys')
})
