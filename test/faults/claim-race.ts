import { type Client, connect } from '../support/client.ts'
import { tokenFor } from '../support/server.ts'
import { until } from './load.ts'

export interface RaceOptions {
  /** Clients are dealt out over these servers in turn, so that the claimers of a chat are on different ones. */
  readonly urls: readonly string[]
  readonly agents: number
  readonly visitors: number
  /** Every chat is claimed by so many agents at once. */
  readonly claimers: number
}

export interface RaceResult {
  readonly claims: number
  readonly won: number
  /**
   * One sentence for each chat that was won by none or by two, each loser that was not told who won, each person that
   * was told wrong.
   */
  readonly violations: readonly string[]
}

/**
 * All visitors wait, then all agents grab at once, several for each chat. Everybody's connection is closed when it
 * resolves or rejects.
 */
export async function claimRace({ urls, agents, visitors, claimers }: RaceOptions): Promise<RaceResult> {
  const clients: Client[] = []
  const crowd = async (role: 'agent' | 'visitor', count: number): Promise<Client[]> => {
    const theirs: Client[] = []
    // Not all in one breath: a backlog of handshakes that time out would be another test.
    for (let from = 0; from < count; from += 80) {
      const some = Array.from({ length: Math.min(80, count - from) }, async (_, i) => {
        const auth = { token: await tokenFor(role, `${role}-${from + i}`) }
        return connect(urls[(from + i) % urls.length] ?? '', { auth, query: { protocol: '2' } })
      })
      theirs.push(...(await Promise.all(some)))
    }
    clients.push(...theirs)
    return theirs
  }
  try {
    const waiting = await crowd('visitor', visitors)
    const rooms = await Promise.all(
      waiting.map(async (visitor) => {
        const [ok, error, place] = await visitor.ask('visitor_first_msg', { content: { text: 'help' } })
        if (ok !== true) throw new Error(`a chat could not be opened: ${error}`)
        return (place as { room: string }).room
      }),
    )
    const grabbing = await crowd('agent', agents)
    await until(() => grabbing.every((agent) => agent.all('staff_init')[0]?.unclaimed_chats.length === visitors))

    const claims = rooms.flatMap((room, r) =>
      Array.from({ length: claimers }, async (_, nth) => {
        // Neighbours in the list of agents are on different servers.
        const agent = (r * claimers + nth) % agents
        const [ok, error] = await (grabbing[agent] as Client).ask('staff_join', { room }) // below the number of agents
        return { room, agent, ok, error: String(error) }
      }),
    )
    const answers = Map.groupBy(await Promise.all(claims), ({ room }) => room)
    const found: string[] = []
    let won = 0
    for (const [r, room] of rooms.entries()) {
      const grabs = answers.get(room) ?? []
      const winners = grabs.filter(({ ok }) => ok)
      won += winners.length
      const winner = `agent-${winners[0]?.agent}`
      if (winners.length !== 1) found.push(`${room} was won ${winners.length} times`)
      for (const { ok, agent, error } of grabs) {
        if (!ok && error !== `chat already claimed by ${winner}`)
          found.push(`agent-${agent} lost ${room} to ${winner} and was told ${error}`)
      }
      const { user } = await (waiting[r] as Client).told('staff_join_room') // one visitor for each room
      if (user.id !== winner) found.push(`the visitor of ${room} was told of ${user.id}, ${winner} won`)
    }
    // Everybody else is told of every claim, once.
    const winsOf = (agent: number): number =>
      [...answers.values()].flat().filter((grab) => grab.ok && grab.agent === agent).length
    for (const [i, agent] of grabbing.entries()) {
      const others = rooms.length - winsOf(i)
      await until(() => agent.all('staff_claim_chat').length >= others)
      if (agent.all('staff_claim_chat').length !== others)
        found.push(`agent-${i} was told of more claims than there were`)
    }
    for (const visitor of waiting)
      if (visitor.all('staff_join_room').length !== 1) found.push('a visitor was joined twice')
    return { claims: claims.length, won, violations: found }
  } finally {
    for (const client of clients) client.close()
  }
}
