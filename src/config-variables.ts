import { z } from 'zod'
import { isHost, isOrigin, isTimeZone, originIn } from './config-forms.ts'
import {
  either,
  milliseconds,
  number,
  optional,
  rate,
  required,
  url,
  type Variable,
  wholeNumber,
} from './config-variable.ts'
import { readFilesUrl } from './files-url.ts'
import { readTrustProxy } from './trust-proxy.ts'

const DAY_MS = 86_400_000

/** Every variable that Lyceum reads, in the order of the manual. */
export const VARIABLES = {
  HOST: required({
    description: 'Address to listen on; 0.0.0.0 for all',
    fallback: '127.0.0.1',
    expects: 'an IP address or a host name, without a scheme or a port',
    schema: z.string().regex(/^([A-Za-z0-9.-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/),
  }),
  PORT: required({
    description: 'Port to listen on',
    fallback: '3000',
    expects: 'a whole number from 0 (any free port) to 65535',
    schema: wholeNumber(0, 65_535),
  }),
  LYCEUM_DATA: required({
    description: 'Directory of the log, views, snapshots and the token secret',
    fallback: './data',
    expects: 'a directory',
    schema: z.string(),
  }),
  EVENTSTORE_URL: optional({
    description: 'EventStoreDB that holds the log; unset: the embedded log in LYCEUM_DATA',
    expects: 'an address like esdb://host:2113?tls=false (also esdb+discover://, kurrentdb://)',
    secret: true,
    schema: z
      .string()
      .regex(/^(esdb|kurrentdb)(\+discover)?:\/\/[^/?\s]+[^\s]*$/)
      .transform((text) => text.replace(/^kurrentdb/, 'esdb')), // the client library knows the old scheme only
  }),
  REDIS_URL: optional({
    description: 'Redis for views and leases; unset: views in LYCEUM_DATA, leases in this process',
    expects: 'an address like redis://host:6379 or rediss://user:password@host:6379/0',
    secret: true,
    schema: url('redis:', 'rediss:'),
  }),
  JWT_SECRET: optional({
    description:
      'Secret that signs tokens (HS256), the same on every node; unset: made and kept in LYCEUM_DATA/jwt-secret',
    expects: 'at least 32 bytes long (openssl rand -base64 48 makes one)',
    secret: true,
    schema: z.string().refine((text) => new TextEncoder().encode(text).length >= 32),
  }),
  JWKS_URL: optional({
    description:
      'Key set of an identity provider that issues the tokens (asymmetric algorithms), instead of JWT_SECRET',
    expects: 'an address like https://id.example.org/.well-known/jwks.json',
    schema: url('http:', 'https:'),
  }),
  JWT_ISSUER: required({
    description: 'Claim iss of every token',
    fallback: 'lyceum',
    expects: 'a text',
    schema: z.string(),
  }),
  JWT_AUDIENCE: required({
    description: 'Claim aud of every token',
    fallback: 'lyceum',
    expects: 'a text',
    schema: z.string(),
  }),
  ALLOWED_ORIGINS: optional({
    description:
      "Web pages that may call from a browser, besides the server's own: * or a comma-separated list of origins",
    expects: '* or a comma-separated list of origins like https://app.example.org (scheme, host, port; no path)',
    schema: z
      .string()
      .transform((text) => text.split(',').flatMap((origin) => origin.trim() || []))
      .refine((origins) => origins.length > 0 && origins.every((origin) => origin === '*' || isOrigin(origin)))
      .transform((origins) => origins.map((origin) => (origin === '*' ? origin : originIn(origin)))),
  }),
  ALLOWED_HOSTS: optional({
    description:
      'Names under which this server is reached (header Host), besides loopback and HOST; unset where HOST is ' +
      '0.0.0.0 or ::, any IP address; * for all',
    expects: '* or a comma-separated list of host names like lyceum.example.org or *.example.org (no scheme, no port)',
    schema: z
      .string()
      .transform((text) => text.split(',').flatMap((host) => host.trim().toLowerCase() || []))
      .refine((hosts) => hosts.length > 0 && hosts.every((host) => host === '*' || isHost(host))),
  }),
  TRUST_PROXY: optional({
    description:
      'Proxies whose X-Forwarded-For or Forwarded is believed: how many stand in front of this server, or their ' +
      'addresses; unset: none',
    expects: 'a number of proxies from 0 to 99, or a comma-separated list of addresses like 10.0.0.7, 172.16.0.0/12',
    schema: z.string().transform((text, context) => {
      const trust = readTrustProxy(text)
      if (trust !== null) return trust
      context.addIssue({ code: 'custom' })
      return z.NEVER
    }),
  }),
  DISCONNECT_GRACE_MS: milliseconds(
    'How long a lost connection may come back before its owner counts as gone',
    '15000',
    DAY_MS,
  ),
  LESSON_OVERRUN_MINUTES: number(
    'How long after its planned length a lesson, or an attendance session, that nobody ends is ended',
    '30',
    [0, 1_440],
    'minutes',
  ),
  LESSON_CALL_OFF_HOURS: number(
    'How long after its planned start a lesson that nobody starts is called off',
    '24',
    [1, 8_760],
    'hours',
  ),
  ALLOW_EIO3: either('Whether clients of Engine.IO 3 (socket.io-client 2) are let in', 'yes', ['yes', 'no']),
  ORGANISATIONS: either(
    'Whose visitors are let in: those of every organisation, or of one that is known (lyceum org)',
    'open',
    ['open', 'known'],
  ),
  ON_STAFF_GONE: either(
    'What becomes of a chat when whoever serves it is gone: it ends, or goes back to the queue',
    'close',
    ['close', 'return'],
  ),
  QUEUE_CHATS: number(
    'Chats that may wait unclaimed in one organisation; then no more are opened',
    '20000',
    [1, 1_000_000],
  ),
  QUEUE_BYTES: number(
    'Bytes that may wait unclaimed in one organisation; then each chat takes a short question only',
    '33554432',
    [0, 1_073_741_824],
    'bytes',
  ),
  CHAT_BYTES_PER_MINUTE: number(
    'Bytes a minute that one person may write in chats; twice as many in a burst; more where RATE_PER_PERSON is',
    '4194304',
    [65_536, 1_073_741_824],
    'bytes',
  ),
  LEASE_MS: number(
    'How long a dead node’s people still count as connected; the same on every node',
    '30000',
    [1_000, 60_000],
    'milliseconds',
  ),
  LYCEUM_TIME_ZONE: required({
    description: 'Zone of local times: those that projects show, heads of the CSV of attendance, dates in filters',
    fallback: 'UTC',
    expects: 'an IANA time zone like UTC or Asia/Ho_Chi_Minh',
    schema: z.string().refine(isTimeZone),
  }),
  FILES_URL: optional({
    description: 'Where sent files are kept, the same for all nodes; unset: in LYCEUM_DATA/files',
    expects:
      'a directory like file:///srv/files, or a bucket like s3://name?region=eu-central-1 (with endpoint=http://… ' +
      'for a server that is not AWS; credentials as AWS’s tools take them from the environment)',
    schema: z.string().transform((text, context) => {
      const read = readFilesUrl(text)
      if ('files' in read) return read.files
      context.addIssue({ code: 'custom', message: read.problem, params: { isAdvice: true } })
      return z.NEVER
    }),
  }),
  SMTP_URL: optional({
    description: 'Mail server for those who are added to a project while they have no open page; unset: no mail',
    expects: 'an address like smtp://host:587 or smtps://user:password@host:465',
    secret: true,
    schema: url('smtp:', 'smtps:'),
  }),
  SMTP_FROM: optional({
    description: 'Sender of these mails',
    expects: 'an e-mail address',
    schema: z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/),
  }),
  MIXPANEL_TOKEN: optional({
    description: 'Project token for Mixpanel; unset: nothing is sent',
    expects: 'a token without spaces',
    secret: true,
    schema: z.string().regex(/^\S+$/),
  }),
  MIXPANEL_HOST: required({
    description: 'Where Mixpanel is reached',
    fallback: 'api.mixpanel.com',
    expects: 'a host like api-eu.mixpanel.com (https is meant) or an origin like http://127.0.0.1:8080',
    schema: z
      .string()
      .transform((text) => (text.includes('://') ? text : `https://${text}`))
      .refine((text) => isOrigin(text))
      .transform((text) => new URL(text).origin),
  }),
  LOG_LEVEL: required({
    description: 'How much is logged',
    fallback: 'info',
    expects: 'one of trace, debug, info, warn, error, fatal, silent',
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  }),
  RATE_PER_PERSON: rate('Commands a second that one person may send; twice as many in a burst', '100'),
  RATE_PER_ADDRESS: rate(
    'Requests a second that one address may send; twice as many in a burst. Schools sit behind one',
    '20000',
  ),
  NEW_PEOPLE_PER_ADDRESS: rate(
    'New visitors, and new participants without a token, that one address may bring at once; then one a second',
    '1000',
  ),
  CONNECTIONS_PER_ADDRESS: rate(
    'HTTP connections, WebSockets left out, that one address may have open; a quarter of them without a request',
    '6000',
  ),
  METRICS_TOKEN: optional({
    description: 'What /metrics wants as Authorization: Bearer; unset: it is open to everybody',
    expects: 'at least 16 characters without spaces (openssl rand -hex 24 makes one)',
    secret: true,
    schema: z.string().regex(/^\S{16,}$/),
  }),
  ROOM_IDLE_MS: milliseconds('How long a room stays awake in memory without a command', '30000', DAY_MS),
} as const

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
export type VariableName = keyof typeof VARIABLES

/** What each variable means: the schema's output, or null where unset means something of its own. */
export type Values = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends Variable<infer T>
    ? (typeof VARIABLES)[Name] extends { readonly fallback: null }
      ? T | null
      : T
    : never
}

/** Reads all of them and never stops at the first wrong one. `values` is null when there are problems. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): {
  values: Values | null
  problems: string[]
} {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, variable] of Object.entries(VARIABLES) as [VariableName, Variable][]) {
    const set = env[name]?.trim() ?? '' // compose files write `${NAME:-}`: empty means unset
    const text = set === '' ? variable.fallback : set
    const parsed = text === null ? { success: true as const, data: null } : variable.schema.safeParse(text)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${name} must be ${variable.expects}, got ${shown(variable, set)}${adviceOf(parsed.error)}`)
  }
  return { values: problems.length === 0 ? (values as Values) : null, problems }
}

/** Of an address whoever may use it is not shown. */
const shown = (variable: Variable, text: string): string =>
  variable.secret
    ? `a value of ${new TextEncoder().encode(text).length} bytes (not shown: it may be secret)`
    : JSON.stringify(text.replaceAll(/\/\/\S*@/g, '//…@'))

/** What a schema says itself of what to do. */
const adviceOf = ({ issues }: z.ZodError): string =>
  issues.flatMap((issue) => (issue.code === 'custom' && issue.params?.isAdvice ? [`: ${issue.message}`] : [])).join('')
