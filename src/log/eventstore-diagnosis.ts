import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Address, Target } from './eventstore-address.ts'

/** What stands at an address, for whoever wants to connect as the configuration says. */
export type Diagnosis =
  /** The transport works; what the server says on it is another matter. */
  | { readonly kind: 'fits' }
  /** Nobody answers: that may pass. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** Waiting does not help: the configuration is wrong, or the server's is. */
  | { readonly kind: 'unfit'; readonly reason: string }

/** For each step: a connection, an answer. */
const STEP_MS = 3_000

/**
 * Asks without the client, which says of a wrong authority, of a server without TLS and of one that is down the same:
 * unavailable. The best that is found counts: a cluster may have members that are down, and some that are misconfigured
 * must not hide one that is not.
 */
export async function diagnose(addresses: readonly Address[], tls: Target['tls']): Promise<Diagnosis> {
  const diagnoses = await Promise.all(addresses.map((address) => (tls === null ? bare(address) : secure(address, tls))))
  const first = (kind: Diagnosis['kind']): Diagnosis | undefined => diagnoses.find((one) => one.kind === kind)
  return first('fits') ?? first('unfit') ?? first('silent') ?? { kind: 'silent', reason: 'no address is known' }
}

async function bare(address: Address): Promise<Diagnosis> {
  const answer = await hello(address)
  if (answer === null) return { kind: 'fits' }
  if (!(await shakesHands(address, { ca: undefined, rejectUnauthorized: false }))) return silent(address, answer)
  return unfit(
    address,
    'speaks TLS, but EVENTSTORE_URL says tls=false: take that out, ' +
      'and name the file of the authority that signed its certificate with tlsCAFile=…',
  )
}

async function secure(address: Address, { ca }: { readonly ca: Buffer | undefined }): Promise<Diagnosis> {
  const failure = await handshake(address, { ca, rejectUnauthorized: true })
  if (failure === null) return { kind: 'fits' }
  const words = distrust(failure, ca !== undefined)
  if (words !== undefined) return unfit(address, words)
  if ((await hello(address)) !== null) return silent(address, failure)
  return unfit(
    address,
    'speaks without TLS, but EVENTSTORE_URL does not say tls=false: turn TLS on in EventStoreDB, or add tls=false',
  )
}

/** Why a certificate is not believed, and what to do; undefined = it is not about a certificate. */
function distrust({ code = '', message }: NodeJS.ErrnoException, hasFile: boolean): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return (
      'shows a certificate for other names and addresses: connect by one that it has ' +
      `(in a cluster also as the nodes advertise themselves), or make a certificate that has this one (${message})`
    )
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `shows a certificate that is not valid today (${message}): give it a new one, or set the clocks right`
  }
  if (code.startsWith('ERR_') || !/CERT|SIGNATURE|INVALID_/.test(code)) return undefined
  return hasFile
    ? `shows a certificate that the authority in tlsCAFile did not sign (${code}): name the file of the one that did`
    : `shows a certificate that no authority known here signed (${code}): ` +
        'add tlsCAFile=… with the file of the one that did to EVENTSTORE_URL'
}

const named = ({ host, port }: Address): string => `EventStoreDB at ${host}:${port}`
const unfit = (address: Address, words: string): Diagnosis => ({ kind: 'unfit', reason: `${named(address)} ${words}` })
const silent = (address: Address, { code, message }: NodeJS.ErrnoException): Diagnosis => ({
  kind: 'silent',
  reason: `${named(address)} does not answer (${code ?? message})`,
})

interface Trust {
  readonly ca: Buffer | undefined
  readonly rejectUnauthorized: boolean
}

const shakesHands = async (address: Address, trust: Trust): Promise<boolean> =>
  (await handshake(address, trust)) === null

/** Null = it succeeded. */
function handshake({ host, port }: Address, trust: Trust): Promise<NodeJS.ErrnoException | null> {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const socket = connectTls({ host, port, ALPNProtocols: ['h2'], ...servername, ...trust })
  return outcome(socket, (done) => socket.once('secureConnect', done))
}

/** An HTTP/2 server tells its settings first of all (RFC 9113, section 3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0'
const SETTINGS = 4

/** Null = a server of HTTP/2 without TLS is there. */
function hello({ host, port }: Address): Promise<NodeJS.ErrnoException | null> {
  const socket = connectPlain({ host, port })
  return outcome(socket, (done, failed) => {
    socket.once('connect', () => socket.write(PREFACE))
    socket.once('data', (answer) =>
      answer[3] === SETTINGS ? done() : failed(new Error('something else than EventStoreDB answers there')),
    )
  })
}

function outcome(
  socket: Socket,
  listen: (done: () => void, failed: (error: Error) => void) => void,
): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const end = (found: NodeJS.ErrnoException | null): void => {
      socket.destroy()
      resolve(found)
    }
    socket.on('error', end)
    socket.once('close', () => end(new Error('it hangs up')))
    socket.setTimeout(STEP_MS, () => end(new Error(`nothing within ${STEP_MS} ms`)))
    listen(() => end(null), end)
  })
}
