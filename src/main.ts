import closeWithGrace from 'close-with-grace'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { replayInTerminal } from './commands/replay.ts'
import { makeToken } from './commands/token.ts'
import { rebuildViews, verifyViews } from './commands/views.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { VARIABLES } from './config-variables.ts'
import { type Logger, openLogger } from './observe/logger.ts'
import { serve } from './serve.ts'

/** Where everything is put together: the only file that reads the environment, imported by nobody. */
const program = new Command('lyceum')
  .description('The real-time backend for classrooms and support desks that never forgets.')
  .showHelpAfterError('(lyceum --help lists all commands and variables)')
  .addHelpText('after', () => `\nEnvironment:\n${variables()}`)

program
  .command('start', { isDefault: true })
  .description('start a server (this is what npm start does)')
  .addHelpText('after', () => `\nEnvironment:\n${variables()}`)
  .action(() => withConfig(start))

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

const views = program.command('views').description('look after the views')
views
  .command('rebuild [name]')
  .description('fold a view (default: all) again from the log, beside the live one, and switch when it has caught up')
  .action((name?: string) => withConfig((config) => rebuildViews(config, name)))
views
  .command('verify')
  .description('fold all views into memory and compare them with the live ones')
  .action(() => withConfig(verifyViews))

async function start(config: Config, logger: Logger): Promise<void> {
  const running = await serve(config, logger)
  const { url, demo } = running
  process.stdout.write(
    `Lyceum listens on ${url}\n  Socket.IO  ${url.replace('http', 'ws')}/socket.io\n  HTTP       ${url}/api/v1 (described in /api/v1/openapi.json)\n`,
  )
  process.stdout.write(
    `  data       ${config.eventStoreUrl === null ? config.dataDirectory : 'EventStoreDB'}${config.redisUrl === null ? '' : ', views in Redis'}\n`,
  )
  if (demo.length > 0) {
    process.stdout.write(`\nThe log was empty, so there is a demo organisation now. These log-ins are shown only once:\n`)
    for (const { role, email, password } of demo) process.stdout.write(`  ${role.padEnd(10)} ${email.padEnd(24)} ${password}\n`)
    process.stdout.write(`Try it: npm run demo\n`)
  }
  closeWithGrace({ delay: 20_000, logger: false }, async ({ signal, err }) => {
    if (err) logger.fatal({ err }, 'an error that nobody caught: this process ends')
    else logger.info({ signal }, 'stopping')
    await running.stop()
  })
}

async function withConfig(run: (config: Config, logger: Logger) => Promise<void> | void): Promise<void> {
  try {
    const config = readConfig(process.env)
    await run(config, openLogger(config.logLevel))
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : `lyceum: ${(error as Error).message}`}\n`)
    process.exitCode = 1
    if (error instanceof ConfigError) process.stderr.write('lyceum --help lists all variables\n')
    process.exit()
  }
}

function variables(): string {
  const lines = Object.entries(VARIABLES).map(
    ([name, { description, fallback }]) => `  ${name.padEnd(20)} ${description}${fallback === null ? '' : ` (${fallback})`}`,
  )
  return lines.join('\n')
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
