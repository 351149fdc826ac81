import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Need {
  /** Debian's packages that bring it; the first one is what it is called. */
  readonly packages: readonly [string, ...string[]]
  isThere(machine: Machine): boolean
}

/** What tests, benches and torture need beyond npm. */
const NEEDS: readonly Need[] = [
  { packages: ['redis-server'], isThere: (machine) => whereIs('redis-server', machine) !== undefined },
  { packages: ['openssl'], isThere: (machine) => whereIs('openssl', machine) !== undefined },
  { packages: ['chromium'], isThere: (machine) => whereIs('chromium', machine) !== undefined },
  {
    packages: ['python3-socketio', 'python3-requests', 'python3-websocket'], // the others carry its transports
    isThere: ({ modules }) => ['socketio', 'requests', 'websocket'].every((name) => existsSync(join(modules, name))),
  },
]

/** Who this process is and where it finds programs. The tests of this file put others in. */
export interface Machine {
  /** Directories, as in the variable PATH. */
  readonly path: string
  /** Where Debian's own Python (`/usr/bin/python3`) has its modules. */
  readonly modules: string
  readonly isRoot: boolean
}

const thisMachine: Machine = {
  path: process.env.PATH ?? '',
  modules: '/usr/lib/python3/dist-packages',
  isRoot: process.getuid?.() === 0,
}

/** The whole path of a program, or undefined when there is none of this name. */
export const whereIs = (command: string, { path }: Pick<Machine, 'path'> = thisMachine): string | undefined =>
  path
    .split(delimiter)
    .map((directory) => join(directory, command))
    .find(isExecutable)

/**
 * Installs what is missing, by apt: as root, or through a sudo that asks for no password. Throws one sentence that
 * names what is missing and the command that installs it where neither may be done, or where apt fails.
 */
export function meetNeeds(machine: Machine = thisMachine): void {
  const missing = NEEDS.filter((need) => !need.isThere(machine))
  if (missing.length === 0) return
  const packages = missing.flatMap((need) => need.packages)
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages]
  const asRoot = machine.isRoot ? [] : ['sudo', '-n']
  const works = ([program = '', ...args]: readonly string[]): boolean =>
    spawnSync(whereIs(program, machine) ?? program, args, {
      env: { ...process.env, PATH: machine.path, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'],
    }).status === 0
  if (whereIs('apt-get', machine) !== undefined && (machine.isRoot || works(['sudo', '-n', 'true']))) {
    process.stderr.write(`installing ${packages.join(', ')}, which the tests need\n`)
    if (works([...asRoot, 'apt-get', 'update', '-qq'])) works([...asRoot, ...install])
    if (missing.every((need) => need.isThere(machine))) return
  }
  throw new Error(
    `This machine has no ${missing.map(({ packages: [name] }) => name).join(', no ')}, which the tests need: ` +
      `install it (on Debian: sudo apt-get install ${packages.join(' ')}) and start again.`,
  )
}

/** As `meetNeeds`, and ends this process with the sentence. Vitest calls it once, before any test. */
export function setup(): void {
  try {
    meetNeeds()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`) // it throws nothing else
    process.exit(1)
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
