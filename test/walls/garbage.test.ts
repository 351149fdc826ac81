import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuzz } from '../attacks/fuzz.ts'
import { type Company, company } from '../contracts/company.ts'
import type { Client } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'
import { sized } from '../support/sized.ts'

const FRAMES = Number(process.env.FUZZ_FRAMES ?? sized(20_000, 2_000_000))
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)

let server: TestServer
let acme: Company
let ann: Client
let vera: Client
let room: string
beforeAll(async () => {
  server = await startServer({
    env: { RATE_PER_PERSON: '1000000', RATE_PER_ADDRESS: '1000000', DISCONNECT_GRACE_MS: '0' },
  })
  acme = company(server)
  ann = await acme.join('agent', 'ann')
  ;({ visitor: vera, room } = await acme.chat('vera', ann))
  await ann.ask('staff_join', { room })
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

test(`[WALL-7] ${FRAMES} pieces of garbage disturb nobody (FUZZ_SEED=${SEED})`, {
  timeout: 4 * PATIENCE_MS + FRAMES,
}, async () => {
  const roles = ['visitor', 'agent', 'supervisor', 'teacher', 'student'] as const
  // Of an organisation of their own: what they are taken for is to disturb the others no more than the rest.
  const tokens = await Promise.all(roles.map((role) => tokenFor(role, `mallory-${role}`, 'elsewhere')))
  let isOver = false
  const attack = fuzz({ url: server.url, tokens, frames: FRAMES, seed: SEED }).finally(() => {
    isOver = true
  })
  for (let n = 0; !isOver; n++) {
    expect(await vera.ask('visitor_msg', { n }), `FUZZ_SEED=${SEED}`).toEqual([true, null])
    await ann.told('visitor_send', ({ content }) => content.n === n)
  }
  await attack
  expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ data: { alive: true } })
  expect(server.output(), `FUZZ_SEED=${SEED}`).not.toMatch(/unhandled|uncaught|"level":[56]0/i)
})
