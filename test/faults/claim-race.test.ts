import { expect, test } from 'vitest'
import { startServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { claimRace } from './claim-race.ts'

const AGENTS = sized(20, 160)
const CHATS = sized(100, 800)
const CLAIMERS = 4

test(`[CHAT-4] of ${AGENTS} agents who grab ${CHATS} chats at once one gets each, others are told who`, async () => {
  const server = await startServer()
  try {
    const race = await claimRace({ urls: [server.url], agents: AGENTS, visitors: CHATS, claimers: CLAIMERS })
    expect(race).toEqual({ claims: CHATS * CLAIMERS, won: CHATS, violations: [] })
  } finally {
    await server.stop()
  }
})
