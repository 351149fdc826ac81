import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export interface Address {
  readonly host: string
  readonly port: number
}

/** What `EVENTSTORE_URL` says of where the server is and how to speak with it. */
export interface Target {
  /** In the words of client 6.2.1. */
  readonly url: string
  readonly hosts: readonly Address[]
  /** Null = without TLS; `ca` undefined = the authorities that Node knows. */
  readonly tls: { readonly ca: Buffer | undefined } | null
}

const DEFAULT_PORT = 2113

/**
 * Throws when `url` is no usable connection string, or when the file of the authority is not one, by a sentence that
 * does not repeat the string: it may hold a password.
 */
export function targetOf(url: string): Target {
  // `kurrentdb://` is the new name of the same protocol, which client 6.2.1 does not know.
  const translated = url.trim().replace(/^kurrentdb(\+discover)?:\/\//, 'esdb$1://')
  const [, hosts = '', query = ''] =
    /^esdb(?:\+discover)?:\/\/(?:[^:]+:[^@]+@)?([^/?]+)\/*(?:\?(.*))?$/.exec(translated) ?? []
  const settings = settingsOf(query)
  if (Number(settings.get('keepaliveinterval')) < 0) {
    throw new Error(
      'EVENTSTORE_URL must not turn keep-alive off (keepAliveInterval=-1): a frozen server would never be noticed',
    )
  }
  if (settings.get('throwonappendfailure') === 'false')
    throw new Error('EVENTSTORE_URL must not set throwOnAppendFailure=false: a conflict would then look like success')
  const caFile = settings.get('tlscafile')
  return {
    url: translated,
    hosts: hosts
      .split(',')
      .map((one) => one.split(':'))
      .map(([host = '', port]) => ({ host, port: port === undefined ? DEFAULT_PORT : Number(port) })),
    tls: settings.get('tls') === 'false' ? null : { ca: caFile === undefined ? undefined : authority(caFile) },
  }
}

/** The client reads its keys without regard to case and dashes. */
function settingsOf(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').map((pair) => pair.split('='))
  return new Map(pairs.map(([key = '', value = '']) => [key.toLowerCase().replace(/[_-]/g, ''), decoded(value)]))
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value // the client says what it thinks of it
  }
}

function authority(file: string): Buffer {
  const path = resolve(file)
  const todo =
    'set tlsCAFile to the file of the authority that signed the certificates of EventStoreDB (PEM), percent-encoded'
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    throw new Error(`tlsCAFile in EVENTSTORE_URL cannot be read: ${path}: ${reasonOf(error)}; ${todo}`)
  }
  try {
    new X509Certificate(pem)
  } catch {
    throw new Error(`tlsCAFile in EVENTSTORE_URL holds no certificate: ${path}; ${todo}`)
  }
  return pem
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a directory'
    default:
      return message
  }
}
