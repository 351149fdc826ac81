/**
 * As RFC 6266 has it: a name for all clients, and the whole one for those that can. Names that were recorded by an
 * older release may hold halves of surrogate pairs.
 */
export function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const whole = encodeURIComponent(name.toWellFormed())
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole.replace(/['()*]/g, escaped)}`
}

const escaped = (one: string): string => `%${one.charCodeAt(0).toString(16).toUpperCase()}`
