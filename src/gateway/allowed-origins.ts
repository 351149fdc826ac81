export interface OriginsOptions {
  /** `ALLOWED_ORIGINS`. */
  readonly listed: readonly string[]
  readonly onRefused: (origin: string) => void
}

/** Whether a page of this header `Origin` may call the server that it knows by this header `Host`. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean

/**
 * Browsers may call from the server's own pages and from the listed origins; programs send no Origin and may call. The
 * names of loopback are one: a page that was opened as `localhost` calls a server that was configured as `127.0.0.1`.
 * They are no more than that, another port is another origin.
 */
export function allowedOrigins({ listed, onRefused }: OriginsOptions): OriginCheck {
  const all = listed.includes('*')
  const known = new Set(listed.map(withOneLoopback))
  const passes = (origin: string, host: string | undefined): boolean => {
    const name = withOneLoopback(origin)
    return known.has(name) || (host !== undefined && OURS.some((scheme) => withOneLoopback(scheme + host) === name))
  }
  return (origin, host) => {
    if (all || origin === undefined || passes(origin, host)) return true
    onRefused(origin)
    return false
  }
}

/** A proxy may have taken TLS off. */
const OURS = ['http://', 'https://']

/** The origin itself where it is none of a page of the web. */
function withOneLoopback(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) return text
  if (LOOPBACK.has(url.hostname)) url.hostname = 'localhost'
  return url.origin
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
