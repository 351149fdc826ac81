/**
 * `https://host:port`, or with a slash behind it; or what an app names its own pages by, like `capacitor://localhost`.
 */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, host, pathname, search, hash, username } = new URL(text)
  const isBare = `${search}${hash}${username}` === '' && (pathname === '/' || pathname === '')
  return isBare && host !== '' && text.startsWith(`${protocol}//`) && !NEVER_ORIGINS.has(protocol)
}

/** Of no page, or of one that is nobody's. */
const NEVER_ORIGINS: ReadonlySet<string> = new Set(['file:', 'data:', 'blob:', 'ws:', 'wss:', 'ftp:'])

/** As a browser sends it. URL knows no origin of an app's own scheme. */
export function originIn(text: string): string {
  const { protocol, host, origin } = new URL(text)
  return origin === 'null' ? `${protocol}//${host}` : origin
}

/** A host name, one with `*.` in front for all below it, or an IP address (IPv6 with or without brackets). */
export const isHost = (text: string): boolean =>
  /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(text) || /^\[?[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*\]?$/.test(text)

/** A name of the IANA that this runtime knows. */
export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
