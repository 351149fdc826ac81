import { resolve } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { catalogue } from '../machines/catalogue.ts'
import { recoverFiles, verifyFiles } from './commands/log.ts'
import { createOrganisation, listOrganisations } from './commands/org.ts'
import { whenParentEnds } from './commands/parent.ts'
import { checkPreconditions } from './commands/preconditions.ts'
import { replayInTerminal } from './commands/replay.ts'
import { makeToken } from './commands/token.ts'
import { rebuildViews, verifyViews } from './commands/views.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { strangers } from './config-strangers.ts'
import { VARIABLES } from './config-variables.ts'
import { all } from './contracts/all.ts'
import { type Logger, openLogger } from './observe/logger.ts'
import type { Running } from './serve.ts'
import { serveAnew } from './serve-anew.ts'
import { isToldByCommit } from './views/embedded.ts'

/** Where everything is put together: the only file that reads the environment, imported by nobody. */
const program = new Command('lyceum')
  .description('The real-time backend for classrooms and support desks that never forgets.')
  .showHelpAfterError('(npm run lyceum -- --help lists all commands and variables)')
  .addHelpText('after', manual)

program
  .command('start', { isDefault: true })
  .description('start a server (this is what npm start does)')
  .addHelpText('after', () => `${manual()}\n\nThere is more than start: npm run lyceum -- --help`)
  .allowExcessArguments()
  .action((_, { args: [unknown] }: Command) => (unknown === undefined ? withConfig(start) : refuseCommand(unknown)))

program
  .command('token')
  .description('print an access token, for developers')
  .requiredOption('--role <role>', 'visitor, agent, supervisor, admin, teacher or student')
  .requiredOption('--org <org>', 'organisation')
  .requiredOption('--sub <id>', 'the person')
  .option('--name <name>', 'what they are called')
  .option('--email <email>')
  .option('--ttl <seconds>', 'how long it is good for', seconds, 12 * 3600)
  .action((options) => withConfig((config) => makeToken(config, options)))

program
  .command('replay <room>')
  .description('tell a chat again as it happened; works beside a running server and without one')
  .option('--speed <n>', 'times as fast as it happened; 0 = without pauses', number, 1)
  .action((room: string, { speed }: { speed: number }) => withConfig((config) => replayInTerminal(config, room, speed)))

const orgs = program.command('org').description('look after organisations')
orgs
  .command('create <id>')
  .description('open an organisation; works beside a running server and without one')
  .option('--title <title>', 'what it is called')
  .action((id: string, { title }: { title?: string }) =>
    withConfig((config) => createOrganisation(config, id, title ?? null)),
  )
orgs
  .command('list')
  .description('list the organisations that are open')
  .action(() => withConfig(listOrganisations))

const views = program.command('views').description('look after the views')
views
  .command('rebuild [name]')
  .description('fold a view (default: all) again from the log, beside the live one, and switch when it has caught up')
  .action((name?: string) => withConfig((config) => rebuildViews(config, name)))
views
  .command('verify')
  .description('fold all views into memory and compare them with the live ones')
  .action(() => withConfig(verifyViews))

const files = program.command('log').description('look after the files of the embedded log')
files
  .command('verify')
  .description('read all of the log and check it; works beside a running server and without one')
  .action(() => withConfig(verifyFiles))
files
  .command('recover')
  .description('copy everything that is whole into a new directory; the log itself is only read')
  .requiredOption('--to <directory>', 'where to: empty, or not there yet')
  .action(({ to }: { to: string }) => withConfig((config) => recoverFiles(config, to)))

const ECHO_MS = 2_000

async function start(config: Config, logger: Logger): Promise<void> {
  await checkPreconditions(config)
  const waiting = setTimeout(() => process.stdout.write(`Lyceum is starting: ${awaited(config)}\n`), PATIENCE_MS)
  const greet = (running: Running): void => void process.stdout.write(`${greeting(running, config)}\n`)
  const leave = (): never => process.exit(0) // nothing is in hand yet
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, leave)
  // npm passes SIGTERM on (package.json: `exec`), but not that it was killed: the server would keep the data locked.
  if (process.env.npm_lifecycle_event === 'start') whenParentEnds(() => process.emit('SIGTERM', 'SIGTERM'))
  const what = { contracts: all, kinds: catalogue }
  let failed = (error: unknown): void => logger.error({ err: error }, 'unexpected')
  // A bug of ours, and the end of what waited for it: everybody else's calls go on.
  process.on('unhandledRejection', (error) => isToldByCommit(error) || failed(error))
  const running = await serveAnew(config, logger, what, greet).finally(() => clearTimeout(waiting))
  for (const signal of ['SIGTERM', 'SIGINT']) process.removeListener(signal, leave)
  failed = (error) => running.failed(error, 'unhandled')
  closeWithGrace({ delay: 20_000, logger: false, skip: ['unhandledRejection'] }, async ({ signal, err }) => {
    ignoreEcho()
    if (err) logger.fatal({ err }, 'an error that nobody caught: this process ends')
    else logger.info({ signal }, 'stopping: no new connections, commands in hand are finished')
    await running.stop()
    logger.info('stopped: everything is on disk')
  })
  greet(running)
}

/** What a newcomer needs, in one write: who waits for "listens on" has all of it. */
function greeting({ url, demo }: Running, { eventStoreUrl, redisUrl, dataDirectory }: Config): string {
  const log = eventStoreUrl === null ? `${resolve(dataDirectory)}/log` : 'in EventStoreDB (EVENTSTORE_URL)'
  const views = redisUrl === null ? `${resolve(dataDirectory)}/views` : 'in Redis (REDIS_URL)'
  const lines = [
    `Lyceum listens on ${url}`,
    `  Socket.IO  ${url.replace('http', 'ws')}/socket.io`,
    `  HTTP       ${url}/api/v1   (described in ${url}/api/v1/openapi.json)`,
    `  health     ${url}/livez, /readyz, /metrics`,
    `  log        ${log}`,
    `  views      ${views}`,
  ]
  if (demo.length > 0) {
    lines.push('', 'The log was empty, so there is a demo organisation now: "demo". These log-ins are shown only once:')
    for (const { role, email, password } of demo) lines.push(`  ${role.padEnd(10)} ${email.padEnd(24)} ${password}`)
    lines.push('', 'See it at work: npm run demo (starts a server of its own, or plays here: npm run demo -- --help)')
  }
  return lines.join('\n')
}

const PATIENCE_MS = 2_000

function awaited({ eventStoreUrl, redisUrl }: Config): string {
  const others = [
    eventStoreUrl === null ? '' : 'EventStoreDB (EVENTSTORE_URL)',
    redisUrl === null ? '' : 'Redis (REDIS_URL)',
  ]
  const named = others.filter((name) => name !== '').join(' and ')
  return named === '' ? 'reading the log' : `waiting for ${named} to answer; the log lines say what is wrong`
}

/**
 * npm passes a signal on which the terminal, or whoever stops a group of processes, has already sent to us as well: the
 * same wish, told twice. Only a later one means that somebody is tired of waiting. (Nothing that was acknowledged is
 * lost by that either.)
 */
function ignoreEcho(): void {
  const heardAt = performance.now()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.removeAllListeners(signal) // those of close-with-grace, which end the process at the second signal
    process.on(signal, () => {
      if (performance.now() - heardAt > ECHO_MS) process.exit(1)
    })
  }
}

async function withConfig(run: (config: Config, logger: Logger) => Promise<void> | void): Promise<void> {
  try {
    const config = readConfig(process.env)
    for (const warning of strangers(process.env)) process.stderr.write(`lyceum: warning: ${warning}\n`)
    await run(config, openLogger(config.logLevel))
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : `lyceum: ${(error as Error).message}`}\n`)
    if (error instanceof ConfigError) process.stderr.write('npm start -- --help lists all variables\n')
    process.exit(1)
  }
}

function manual(): string {
  const lines = Object.entries(VARIABLES).map(
    ([name, { description, fallback }]) =>
      `  ${name.padEnd(20)} ${description}${fallback === null ? '' : ` (${fallback})`}`,
  )
  return `\nEnvironment (what is used when unset or empty):\n${lines.join('\n')}`
}

/** An unknown word lands in `start`, which is what is meant when no word is there. */
function refuseCommand(word: string): void {
  const commands = program.commands.map((command) => command.name()).join(', ')
  program.error(`error: there is no command ${JSON.stringify(word)}: there are ${commands}`)
}

function number(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('must be a number from 0')
  return value
}

function seconds(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number of seconds from 1')
  return value
}

await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CommanderError)) throw error
})
