import { until } from '../test/faults/load.ts'
import { connect } from '../test/support/client.ts'
import { startServer, type TestServer, tokenFor } from '../test/support/server.ts'
import { atMost, type Figure, median } from './figures.ts'
import { inDirectory, openLogIn, visits, write } from './histories.ts'
import { cpuMs } from './process-cost.ts'

const SIZES = [10_000, 1_000_000] as const
const MISSED = [0, 10, 1_000] as const
const PER_VISIT = 13
/** Returns per measurement: enough for the 10 ms steps in which CPU is told. */
const RETURNS = { 0: 400, 10: 400, 1000: 40 } as const
const ROUNDS = 5

/**
 * What a return costs: a visitor, and a supervisor of an organisation of its own, ask for what they have missed, on a
 * log of 10^4 events and on one of 10^6, most of them of another organisation. Both servers run all the time and take
 * turns. CPU of the server process, all threads; a ratio of neighbouring rounds.
 */
export function resume(): Promise<readonly Figure[]> {
  return inDirectory((small) => inDirectory((large) => measured([small, large])))
}

async function measured(directories: readonly string[]): Promise<readonly Figure[]> {
  const servers: TestServer[] = []
  try {
    const desks: Desk[] = []
    for (const [n, data] of directories.entries()) {
      const log = await openLogIn(data)
      await write(log, visits('bench', Math.ceil((SIZES[n] ?? 0) / PER_VISIT)))
      await log.close()
      const server = await startServer({ data, env: { RATE_PER_PERSON: '100000', RATE_PER_ADDRESS: '1000000' } })
      servers.push(server)
      desks.push(await openDesk(server))
    }
    const figures: Figure[] = []
    for (const who of ['visitor', 'supervisor'] as const) {
      for (const missed of MISSED) {
        for (const desk of desks) await desk.returns(who, missed, RETURNS[missed]) // warm
        const costs = desks.map((): number[] => [])
        for (let round = 0; round < ROUNDS; round++)
          for (const [n, desk] of desks.entries()) costs[n]?.push(await desk.returns(who, missed, RETURNS[missed]))
        const [few = [], many = []] = costs
        const ratio = median(many.map((cost, round) => cost / (few[round] ?? cost)))
        figures.push({
          name: `${who} with ${missed.toLocaleString('en')} missed: 10^6 against 10^4 events`,
          value: ratio,
          unit: 'x CPU',
          target: atMost(1.2),
          note: `${median(few).toFixed(2)} and ${median(many).toFixed(2)} ms of CPU for each return`,
        })
      }
    }
    return figures
  } finally {
    for (const server of servers) server.kill('SIGKILL')
    await Promise.all(servers.map(({ ended }) => ended))
  }
}

interface Desk {
  /** CPU of the server for each of so many returns, in milliseconds. */
  returns(who: 'visitor' | 'supervisor', missed: number, times: number): Promise<number>
}

async function openDesk({ url, pid }: TestServer): Promise<Desk> {
  const tokens = { visitor: await tokenFor('visitor', 'vera'), supervisor: await tokenFor('supervisor', 'sue') }
  const agentToken = await tokenFor('agent', 'ann')
  const notices = async (who: keyof typeof tokens, query = ''): Promise<Page> => {
    const headers = { Authorization: `Bearer ${tokens[who]}` }
    for (;;) {
      const answer = await fetch(`${url}/api/v1/notices${query}`, { headers })
      if (answer.status === 200) return (await answer.json()) as Page
      if (answer.status !== 503) throw new Error(`${answer.status} ${await answer.text()}`)
      await new Promise((again) => setTimeout(again, 200)) // the views are still folded
    }
  }
  const [vera, ann] = [
    await connect(url, { auth: { token: tokens.visitor } }),
    await connect(url, { auth: { token: agentToken } }),
  ]
  await vera.ask('visitor_first_msg', { text: 'hello' })
  const { room } = await ann.told('append_unclaimed_chats')
  await ann.ask('staff_join', { room: room.id })
  /** Where somebody stood who has missed so many. */
  const cursors = new Map<number, string>()
  const written = Math.max(...MISSED)
  for (let n = 0; n <= written; n++) {
    const isCursor = (MISSED as readonly number[]).includes(written - n)
    if (isCursor) await until(() => vera.all('staff_send').length === n) // this node has told it
    if (isCursor) cursors.set(written - n, (await notices('visitor')).next)
    if (n < written) await ann.ask('staff_msg', { room: room.id, content: { n } })
  }
  await notices('supervisor', `?after=${cursors.get(0)}`) // the views are there
  return {
    async returns(who, missed, times) {
      const before = cpuMs(pid)
      for (let n = 0; n < times; n++) {
        const { data } = await notices(who, `?limit=1000&after=${cursors.get(missed)}`)
        if (data.length !== missed) throw new Error(`${who} missed ${missed} and was told ${data.length}`)
      }
      return (cpuMs(pid) - before) / times
    },
  }
}

interface Page {
  readonly data: readonly unknown[]
  readonly next: string
}
