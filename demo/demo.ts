import { parseArgs } from 'node:util'
import { playCourse } from './course.ts'
import { type Login, logIn, type Member, ownServer, parseLogin } from './house.ts'
import { print, say, title } from './narrate.ts'
import { play } from './play.ts'
import { playProject } from './project.ts'
import { replay } from './replay.ts'

/**
 * `npm run demo`: a support desk at work, a course, or a project, played by real clients. Ends by itself; exit code 0
 * when everything came as it should.
 */
const HELP = `Plays a support desk: visitors, agents and a supervisor as real Socket.IO clients. Or a course: an
instructor and a student beside a video. Or a project: its owner, its coach, and somebody who works in it.

Usage: npm run demo                      starts a server of its own on a free port, with a temporary data directory
       npm run demo -- course            the same for the course
       npm run demo -- project           the same for the project
       npm run demo -- --url http://127.0.0.1:3000 --login email:password --login …
                                         plays on a running server, as the people whose log-ins the first start printed:
                                         two agents, and a supervisor or admin, all of one organisation
       npm run demo -- course --url http://127.0.0.1:3000 --login email:password
                                         as an admin, who opens accounts for those who play; project: the same

Options (environment variables in brackets):
  --url <url>               a running server [DEMO_URL]
  --login <email:password>  as often as needed [DEMO_LOGINS, separated by spaces]
  --help`

type Show = (url: string, logins: readonly Login[]) => Promise<void>
const SHOWS: Readonly<Record<string, Show>> = { desk: showDesk, course: showCourse, project: showProject }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      login: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(HELP)
  const [name = 'desk', ...more] = positionals
  const show = Object.hasOwn(SHOWS, name) && more.length === 0 ? SHOWS[name] : undefined
  if (!show) throw new Error(`there is no demo ${positionals.join(' ')}: there are ${Object.keys(SHOWS).join(', ')}`)
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

async function showDesk(url: string, logins: readonly Login[]): Promise<void> {
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

async function adminOf(url: string, logins: readonly Login[], what: string): Promise<Member> {
  const came = await Promise.all(logins.map((login) => logIn(url, login)))
  const admin = came.find(({ role }) => role === 'admin')
  if (admin) return admin
  const roles = came.map(({ role }) => role).join(', ') || 'none'
  throw new Error(`the ${what} needs the log-in of an admin, got ${roles}: see npm run demo -- --help`)
}

async function showProject(url: string, logins: readonly Login[]): Promise<void> {
  title(`A project at ${url}`)
  await playProject(url, await adminOf(url, logins, 'project'))
  say('', 'That was all of it. What was said and done stands in the log, the file beside it.')
}

async function showCourse(url: string, logins: readonly Login[]): Promise<void> {
  title(`A course at ${url}`)
  await playCourse(url, await adminOf(url, logins, 'course'))
  say('', 'That was all of it. What was watched, said and handed in stands in the log.')
}

try {
  await main()
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n`)
  process.exitCode = 1
}
