import { expect, test } from 'vitest'
import { startServer } from '../support/server.ts'
import { claimRace } from './claim-race.ts'

test('[CHAT-4] of 160 agents who grab 800 chats at once exactly one gets each, and every loser is told who', {
  timeout: 240_000,
}, async () => {
  const server = await startServer()
  try {
    const race = await claimRace({ urls: [server.url], agents: 160, visitors: 800, claimers: 4 })
    expect(race).toEqual({ claims: 3200, won: 800, violations: [] })
  } finally {
    await server.stop()
  }
})
