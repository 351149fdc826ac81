/** `https://host:port`, or with a slash behind it. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash, username } = new URL(text)
  return /^https?:$/.test(protocol) && pathname === '/' && `${search}${hash}${username}` === ''
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
