import { isIP } from 'node:net'

/** Which of those that stand between a client and this server are ours, so that what they say of others is believed. */
export type TrustProxy =
  /** The nearest ones, whoever they are: nobody else may reach this server. */
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'networks'; readonly networks: readonly Network[] }

export interface Network {
  readonly address: string
  /** Bits that count. */
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** `2`, or `10.0.0.7, 172.16.0.0/12, fd00::/8`; null when it is neither. */
export function readTrustProxy(text: string): TrustProxy | null {
  if (/^\d{1,2}$/.test(text)) return { kind: 'hops', hops: Number(text) }
  const networks = text.split(',').map((part) => networkIn(part.trim()))
  return networks.every((network) => network !== null) ? { kind: 'networks', networks } : null
}

function networkIn(text: string): Network | null {
  const [, address = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return null
  const most = version === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  return prefix <= most ? { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' } : null
}
