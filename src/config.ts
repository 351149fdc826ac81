import { join } from 'node:path'
import { readVariables, type Values } from './config-variables.ts'
import type { FilesConfig } from './files-url.ts'
import type { TrustProxy } from './trust-proxy.ts'

/** Everything that can be set. Durations in milliseconds, rates per second. */
export interface Config {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly dataDirectory: string
  /** `esdb://…` or `esdb+discover://…`; null = the embedded log. */
  readonly eventStoreUrl: string | null
  /** null = embedded views and leases. */
  readonly redisUrl: string | null
  readonly keys: KeyConfig
  readonly jwtIssuer: string
  readonly jwtAudience: string
  /** Web pages that may call from a browser besides our own: `https://host[:port]`, or `*` for all. */
  readonly allowedOrigins: readonly string[]
  /** Names of the header `Host`, in lower case, without ports; `*` = all, `*.` in front = all below; null = unset. */
  readonly allowedHosts: readonly string[] | null
  /** Null = no proxy is believed. */
  readonly trustProxy: TrustProxy | null
  readonly allowEio3: boolean
  readonly disconnectGraceMs: number
  /** How long after its planned length a lesson, or an attendance session, that nobody ends is ended. */
  readonly lessonOverrunMinutes: number
  /** How long after its planned start a lesson that nobody starts is called off. */
  readonly lessonCallOffHours: number
  /** Whose visitors are let in. */
  readonly organisations: 'open' | 'known'
  readonly onStaffGone: 'close' | 'return'
  /** What may wait unclaimed in one organisation. */
  readonly queueChats: number
  readonly queueBytes: number
  /** What one person may write in chats, in bytes. */
  readonly chatWriting: { readonly perSecond: number; readonly burst: number }
  /** Time to live of presence leases. */
  readonly leaseMs: number
  /** An IANA name that this runtime knows. */
  readonly timeZone: string
  /** `apiUrl` is an origin without a trailing slash; null = nothing is sent. */
  readonly mixpanel: { readonly token: string; readonly apiUrl: string } | null
  readonly files: FilesConfig
  /** Null = no mail. */
  readonly mail: { readonly url: string; readonly from: string } | null
  readonly logLevel: Values['LOG_LEVEL']
  readonly ratePerPerson: { readonly perSecond: number; readonly burst: number }
  readonly ratePerAddress: { readonly perSecond: number; readonly burst: number }
  /** Without an account, for the first time: so many at once, and one more each second. */
  readonly newPeoplePerAddress: { readonly perSecond: number; readonly burst: number }
  readonly newParticipantsPerAddress: { readonly perSecond: number; readonly burst: number }
  readonly connectionsPerAddress: number
  /** Null = `/metrics` is open to everybody. */
  readonly metricsToken: string | null
  readonly roomIdleMs: number
}

/** Who signs tokens: we, with a secret that was set or that we make and keep, or an identity provider. */
export type KeyConfig =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'own-secret'; readonly directory: string }
  | { readonly kind: 'jwks'; readonly url: string }

/** `problems`: one sentence for each wrong variable; `message` holds them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Pure: `env` is the whole environment, of which other programs' variables are ignored. Throws ConfigError naming every
 * wrong variable.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { values, problems } = readVariables(env)
  if (values === null) throw new ConfigError(problems)
  if (values.JWT_SECRET !== null && values.JWKS_URL !== null) {
    // A server that took both families could be handed an HS256 token signed with a public key (RFC 8725, section 3.1).
    problems.push(
      'JWT_SECRET and JWKS_URL are both set, expected one of them: ' +
        'unset JWT_SECRET when an identity provider issues the tokens',
    )
  }
  if ((values.SMTP_URL === null) !== (values.SMTP_FROM === null))
    problems.push('SMTP_URL and SMTP_FROM go together, expected both of them or none: set the other one, too')
  if (problems.length > 0) throw new ConfigError(problems)

  return {
    host: values.HOST,
    port: values.PORT,
    dataDirectory: values.LYCEUM_DATA,
    eventStoreUrl: values.EVENTSTORE_URL,
    redisUrl: values.REDIS_URL,
    keys: keysOf(values),
    jwtIssuer: values.JWT_ISSUER,
    jwtAudience: values.JWT_AUDIENCE,
    allowedOrigins: values.ALLOWED_ORIGINS ?? [],
    allowedHosts: values.ALLOWED_HOSTS,
    trustProxy: values.TRUST_PROXY,
    allowEio3: values.ALLOW_EIO3 === 'yes',
    disconnectGraceMs: values.DISCONNECT_GRACE_MS,
    lessonOverrunMinutes: values.LESSON_OVERRUN_MINUTES,
    lessonCallOffHours: values.LESSON_CALL_OFF_HOURS,
    organisations: values.ORGANISATIONS,
    onStaffGone: values.ON_STAFF_GONE,
    queueChats: values.QUEUE_CHATS,
    queueBytes: values.QUEUE_BYTES,
    chatWriting: chatWriting(values),
    leaseMs: values.LEASE_MS,
    timeZone: values.LYCEUM_TIME_ZONE,
    mixpanel: values.MIXPANEL_TOKEN === null ? null : { token: values.MIXPANEL_TOKEN, apiUrl: values.MIXPANEL_HOST },
    files: values.FILES_URL ?? { kind: 'directory', path: join(values.LYCEUM_DATA, 'files') },
    mail:
      values.SMTP_URL === null || values.SMTP_FROM === null ? null : { url: values.SMTP_URL, from: values.SMTP_FROM },
    logLevel: values.LOG_LEVEL,
    ratePerPerson: { perSecond: values.RATE_PER_PERSON, burst: 2 * values.RATE_PER_PERSON },
    ratePerAddress: { perSecond: values.RATE_PER_ADDRESS, burst: 2 * values.RATE_PER_ADDRESS },
    newPeoplePerAddress: { perSecond: 1, burst: values.NEW_PEOPLE_PER_ADDRESS },
    // A class whose clients keep no token is new people each time that its line breaks.
    newParticipantsPerAddress: {
      perSecond: values.NEW_PEOPLE_PER_ADDRESS / 50,
      burst: 4 * values.NEW_PEOPLE_PER_ADDRESS,
    },
    connectionsPerAddress: values.CONNECTIONS_PER_ADDRESS,
    metricsToken: values.METRICS_TOKEN,
    roomIdleMs: values.ROOM_IDLE_MS,
  }
}

/** Whoever may call more often than usual may write more, too. */
function chatWriting({ CHAT_BYTES_PER_MINUTE: usual, RATE_PER_PERSON: calls }: Values): Config['chatWriting'] {
  const perMinute = usual * Math.max(1, calls / USUAL_CALLS)
  return { perSecond: perMinute / 60, burst: 2 * perMinute }
}

/** What `RATE_PER_PERSON` is unless it is set. */
const USUAL_CALLS = 100

function keysOf(values: Values): KeyConfig {
  if (values.JWKS_URL !== null) return { kind: 'jwks', url: values.JWKS_URL }
  if (values.JWT_SECRET !== null) return { kind: 'secret', secret: values.JWT_SECRET }
  return { kind: 'own-secret', directory: values.LYCEUM_DATA }
}
