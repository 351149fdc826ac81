import { catalogue } from '../../machines/catalogue.ts'
import { Refusal } from '../../machines/kernel.ts'
import { isOf } from '../../machines/stream.ts'
import { type OrganisationRow, organisations } from '../../projections/organisations.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { authenticator } from '../gateway/auth/authenticator.ts'
import { openKeys } from '../gateway/auth/keys.ts'
import { OLDER } from '../gateway/auth/organisations.ts'
import { ID } from '../gateway/auth/tokens.ts'
import { DataInUse } from '../log/data-lock.ts'
import type { Log } from '../log/log.ts'
import { openEntities } from '../runtime/entities.ts'
import { memorySnapshots } from '../runtime/snapshots.ts'
import { openLog, openViews } from '../storage.ts'
import type { ViewStore } from '../views/store.ts'
import { notesToTerminal } from './log.ts'

const TITLE_CHARACTERS = 320
const ANSWER_MS = 10_000
const PAGE = 1_000

const hooks = {
  notes: notesToTerminal,
  onFatal: () => undefined, // what could not be written is not told as done
  onTrouble: (doing: string, error: unknown) =>
    void process.stderr.write(`${doing}: ${(error as Error).message}; trying again\n`),
}

/**
 * `lyceum org create <id>`: writes to the log itself, or asks the server that holds it. Asking again is harmless.
 */
export async function createOrganisation(config: Config, org: string, title: string | null): Promise<void> {
  if (!ID.test(org))
    throw new Error(`<id> must be 1 to 64 of the characters A-Z a-z 0-9 _ -, got ${JSON.stringify(org)}`)
  if (title !== null && (title.trim() === '' || title.length > TITLE_CHARACTERS))
    throw new Error(`--title must be a text of 1 to ${TITLE_CHARACTERS} characters`)
  const log = await openLog(config, catalogue, hooks).catch((error: unknown) => {
    if (error instanceof DataInUse) return null
    throw error
  })
  const named = log === null ? await askServer(config, org, title) : await openIn(log, org, title)
  process.stdout.write(`${org} is open${named === null ? '' : `: ${named}`}\n`)
}

async function openIn(log: Log, org: string, title: string | null): Promise<string | null> {
  const snapshots = memorySnapshots()
  const entities = openEntities({ log, snapshots, shared: true, now: systemClock.now, idleMs: ANSWER_MS })
  try {
    const by = { id: 'system', org, role: 'system' } as const
    const command = { type: 'OpenOrganisation', how: 'command', title, by, at: systemClock.now() } as const
    const answer = await entities.ask('organisation', org, command)
    if (answer instanceof Refusal) throw new Error(`${org} could not be opened (${answer.code}): try again`)
    return (await entities.latest('organisation', org)).state.context.title
  } finally {
    await entities.stop()
    await log.close()
  }
}

/** The server that holds the log, by the same HOST, PORT and secret. */
async function askServer(config: Config, org: string, title: string | null): Promise<string | null> {
  const inUse = 'a server that runs holds the log'
  if (config.keys.kind === 'jwks')
    throw new Error(
      `${inUse}, and JWKS_URL is set, so it cannot be asked from here: let an admin of ${org} ask it ` +
        '(POST /api/v1/organisation with their token), or stop it first',
    )
  const { sign } = authenticator({
    ...{ keys: await openKeys(config.keys), issuer: config.jwtIssuer, audience: config.jwtAudience },
    now: systemClock.now,
  })
  const token = await sign?.({ id: 'operator', org, role: 'admin', profile: {} }, 60)
  const url = `http://${reachable(config.host)}:${config.port}`
  const answer = await fetch(`${url}/api/v1/organisation`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(title === null ? {} : { title }),
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw new Error(`${inUse}, and does not answer at ${url}: set HOST and PORT as it has them`, { cause: error })
  })
  const { data, error } = (await answer.json()) as Answer
  if (data === undefined) throw new Error(`the server at ${url} said no: ${error?.message ?? answer.status}`)
  return data.title
}

/** Of `POST /api/v1/organisation`. */
interface Answer {
  readonly data?: { readonly title: string | null }
  readonly error?: { readonly message: string }
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

/** `lyceum org list`: from the views, and of what these do not show yet, from the log. */
export async function listOrganisations(config: Config): Promise<void> {
  const log = await openLog(config, catalogue, { ...hooks, readOnly: true })
  const store = await openViews(config)
  try {
    const all = new Map<string, OrganisationRow | null>([
      ...(await olderIn(store)).map((org) => [org, null] as const),
      ...(await openedIn(log, store)),
    ])
    for (const [org, row] of [...all].sort(([a], [b]) => (a < b ? -1 : 1)))
      process.stdout.write(`${org.padEnd(24)} ${row === null ? 'known by what is recorded of it' : told(row)}\n`)
  } finally {
    await store.close()
    await log.close()
  }
}

const told = ({ how, openedAt, title }: OrganisationRow): string =>
  `opened ${new Date(openedAt).toISOString()} by ${how}${title === null ? '' : `: ${title}`}`

async function openedIn(log: Log, store: ViewStore): Promise<ReadonlyMap<string, OrganisationRow>> {
  const rows = new Map<string, OrganisationRow>()
  const table = await store.live(organisations.name)
  let from = 'id/'
  let upTo = -1n
  for (let more = table !== null; more && table !== null; ) {
    const page = await store.scan(table, { from, to: 'id0', limit: PAGE })
    for (const { key, row } of page.entries) rows.set(key, row as unknown as OrganisationRow) // what was folded
    upTo = page.upTo?.position ?? -1n
    from = `${page.entries.at(-1)?.index ?? ''}!`
    more = page.entries.length === PAGE
  }
  for await (const batch of log.readAll({ from: upTo + 1n }))
    for (const recorded of batch) {
      if (!isOf('organisation', recorded)) continue
      const org = organisations.key(recorded) ?? ''
      const row = organisations.fold(rows.get(org), recorded)
      if (row) rows.set(org, row)
    }
  return rows
}

/** From one organisation to the next, however many people it has. */
async function olderIn(store: ViewStore): Promise<readonly string[]> {
  const orgs = new Set<string>()
  for (const [view, list] of OLDER) {
    const table = await store.live(view)
    let from = list
    while (table !== null) {
      const { entries } = await store.scan(table, { from, to: `${list}~`, limit: 1 })
      const [first] = entries
      if (!first) break
      const org = first.index.slice(list.length).split('/')[0] ?? ''
      orgs.add(org)
      from = `${list}${org}0` // behind all that begins with `<org>/`
    }
  }
  return [...orgs]
}
