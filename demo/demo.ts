import { parseArgs } from 'node:util'
import { type Login, logIn, ownServer, parseLogin } from './house.ts'
import { print, say, title } from './narrate.ts'
import { play } from './play.ts'
import { replay } from './replay.ts'

/**
 * `npm run demo`: a support desk at work, played by real clients. Ends by itself; exit code 0 when everything came as
 * it should.
 */
const HELP = `Plays a support desk: visitors, agents and a supervisor as real Socket.IO clients.

Usage: npm run demo                      starts a server of its own on a free port, with a temporary data directory
       npm run demo -- --url http://127.0.0.1:3000 --login email:password --login …
                                         plays on a running server, as the people whose log-ins the first start printed:
                                         two agents, and a supervisor or admin, all of one organisation

Options (environment variables in brackets):
  --url <url>               a running server [DEMO_URL]
  --login <email:password>  three times or more [DEMO_LOGINS, separated by spaces]
  --help`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      login: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(HELP)
  const url = values.url ?? process.env.DEMO_URL
  const logins = (values.login ?? process.env.DEMO_LOGINS?.split(' ') ?? [])
    .filter((login) => login !== '')
    .map(parseLogin)
  if (url === undefined && logins.length > 0)
    throw new Error('--login needs --url: a server of its own has log-ins of its own')

  const own = url === undefined ? await ownServer() : undefined
  try {
    await show(url?.replace(/\/$/, '') ?? own?.url ?? '', own?.logins ?? logins)
  } finally {
    await own?.stop()
  }
}

async function show(url: string, logins: readonly Login[]): Promise<void> {
  title(`A support desk at ${url}`)
  const staff = await Promise.all(logins.map((login) => logIn(url, login)))
  const [first, second] = staff.filter(({ role }) => role === 'agent')
  const boss = staff.find(({ role }) => role === 'supervisor') ?? staff.find(({ role }) => role === 'admin')
  if (!first || !second || !boss) {
    const came = staff.map(({ role }) => role).join(', ') || 'none'
    throw new Error(
      `the demo needs log-ins of two agents and of a supervisor or admin, got ${came}: see npm run demo -- --help`,
    )
  }
  const room = await play(url, { agents: [first, second], boss })
  await replay(url, boss, room)
  say('', 'That was all of it. Whatever anybody heard was told from the log.')
}

try {
  await main()
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n`)
  process.exitCode = 1
}
