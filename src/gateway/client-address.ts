import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { TrustProxy } from '../trust-proxy.ts'

/** What a request tells of where it comes from. */
export type Coming = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Whose requests are counted together. The only place that says so, for HTTP and sockets alike. */
export interface ClientAddresses {
  /** An IPv4 address, the /64 of an IPv6 one (`2001:db8:0:1::/64`), or `unknown`. */
  of(request: Coming): string
  /** Whether many stand behind this peer of a connection, so that nothing may be counted by it. */
  isProxy(peer: string | undefined): boolean
}

/**
 * Who a client is says the peer's address, or, where that is a proxy of ours, what it has written down:
 * `X-Forwarded-For`, or `Forwarded` (RFC 7239). Both are read from the right, where the nearest proxy writes, and never
 * past one that is not ours: what is left of it could be anybody's invention. Null = no proxy is ours.
 */
export function clientAddresses(trust: TrustProxy | null): ClientAddresses {
  const isOurs = trustedBy(trust)

  /** `told`: from the nearest to the farthest; null = something that is no address, behind which nothing counts. */
  const walked = (peer: string, told: readonly (string | null)[]): string => {
    let client = peer
    for (let hop = 0; isOurs(client, hop); hop++) {
      const next = told[hop]
      if (next === undefined || next === null) break
      client = next
    }
    return client
  }

  return {
    of({ headers, socket }) {
      const peer = socket.remoteAddress
      if (peer === undefined) return 'unknown'
      const xForwardedFor = headers['x-forwarded-for']
      const { forwarded } = headers
      if (!isOurs(peer, 0) || (xForwardedFor === undefined && forwarded === undefined)) return countedAs(peer)
      const found: string[] = []
      if (xForwardedFor !== undefined) found.push(walked(peer, fromRight(String(xForwardedFor)).map(addressIn)))
      if (forwarded !== undefined) found.push(walked(peer, fromRight(forwarded).map(forIn)))
      const [one = peer, other = one] = found.map(countedAs)
      // A proxy writes one of them and passes the other one on as the client sent it: which, nobody can tell.
      return one === other ? one : countedAs(peer)
    },
    isProxy: (peer) => peer !== undefined && isOurs(peer, 0),
  }
}

/** Whether what `address`, the proxy before which `hop` others stand, has written down is believed. */
function trustedBy(trust: TrustProxy | null): (address: string, hop: number) => boolean {
  if (trust === null) return () => false
  if (trust.kind === 'hops') return (_, hop) => hop < trust.hops
  const ours = new BlockList()
  for (const { address, prefix, family } of trust.networks) ours.addSubnet(address, prefix, family)
  return (address) => {
    const plain = plainAddress(address)
    return ours.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4')
  }
}

/** More proxies than anybody has: who sends a header full of commas is not to cost more than others. */
const MAX_HOPS = 32

const fromRight = (header: string): readonly string[] => header.split(',').slice(-MAX_HOPS).reverse()

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; null for anything else. */
function addressIn(text: string): string | null {
  const trimmed = text.trim()
  const bare = /^\[([^\]]+)\](:\d{1,5})?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([\d.]+):\d{1,5}$/, '$1')
  return isIP(bare) === 0 ? null : bare
}

const PAIR = /^\s*([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*")\s*$/

/** What the only `for` of an element of `Forwarded` says; null where it says no address or is not well-formed. */
function forIn(element: string): string | null {
  const pairs = element.split(';').map((pair) => PAIR.exec(pair))
  if (pairs.includes(null)) return null
  const [told, twice] = pairs.flatMap((pair) => (pair?.[1]?.toLowerCase() === 'for' ? [pair[2] ?? ''] : []))
  return told === undefined || twice !== undefined ? null : addressIn(told.replace(/^"(.*)"$/, '$1'))
}

/** Of an IPv6 address the /64: who has one of them has all 2^64. */
function countedAs(address: string): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const net = groupsOf(plain).slice(0, 4)
  return `${net.map((group) => group.toString(16)).join(':')}::/64`
}

/** Without a zone; an IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) as what it is. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '')
  if (!bare.includes(':')) return bare
  const groups = groupsOf(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (!isMapped) return bare
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The eight groups of a well-formed IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const [before, after] = [numbersIn(head), numbersIn(tail ?? '')]
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after]
}

const numbersIn = (text: string): readonly number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [Number.parseInt(group, 16)]
        const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
        return [(a << 8) | b, (c << 8) | d]
      })
