import { BlockList, isIP } from 'node:net'

export interface HostsOptions {
  /** `ALLOWED_HOSTS`; null = unset. */
  readonly listed: readonly string[] | null
  /** `HOST`. */
  readonly listensOn: string
}

/** Null: this header `Host` may be served; or a sentence that says why not. */
export type HostCheck = (host: string | undefined) => string | null

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

const EVERYWHERE = ['0.0.0.0', '::']

/**
 * Under which names this server is reached. A page of a stranger may let its own name lead to this machine (DNS
 * rebinding), and its browser then takes us for that page's server: all that tells is `Host`. Loopback and the address
 * that is listened on always pass; where that is any, and nothing is listed, so does every IP address, which no page
 * can give itself as a name. Who sends no `Host` is no browser.
 */
export function allowedHosts({ listed, listensOn }: HostsOptions): HostCheck {
  const known = new Set([...(listed ?? []), listensOn].map((host) => withoutPort(host)))
  const endings = [...known].flatMap((name) => (name.startsWith('*.') ? [name.slice(1)] : []))
  const anyAddress = listed === null && EVERYWHERE.includes(listensOn)
  return (host) => {
    if (host === undefined || known.has('*')) return null
    const name = withoutPort(host)
    if (known.has(name) || isLoopback(name) || endings.some((ending) => name.endsWith(ending))) return null
    if (anyAddress && isIP(name) !== 0) return null
    const asked = JSON.stringify(name.slice(0, 100))
    return `this server is not known as ${asked}: its operator lists its names in ALLOWED_HOSTS`
  }
}

/** Lower case, without a port, the brackets of an IPv6 address and the dot that may end a name. */
const withoutPort = (host: string): string => {
  const text = host.trim().toLowerCase()
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(text)?.[1]
  return bracketed ?? (isIP(text) === 6 ? text : text.replace(/:\d*$/, '').replace(/\.$/, ''))
}

function isLoopback(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const version = isIP(name)
  return version !== 0 && LOOPBACK.check(name, version === 4 ? 'ipv4' : 'ipv6')
}
