import type { Content } from '../../../machines/chat/events.ts'

const CONTENT_BYTES = 64 * 1024
const CONTENT_LEVELS = 32

interface SizedContent {
  readonly content: Content
  /** As compact JSON in UTF-8. */
  readonly bytes: number
}

/**
 * Any JSON object is content, as it came, up to 64 KiB (as compact JSON in UTF-8) and 32 levels (the object itself is
 * the first).
 */
export function asContent(value: unknown): SizedContent | string {
  if (!isObject(value)) return `content must be a JSON object, got ${nameOf(value)}`
  const flaw = flawIn(value, 1)
  if (flaw) return flaw
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > CONTENT_BYTES)
    return `content may take at most ${CONTENT_BYTES} bytes as JSON, got ${bytes}: send large things as links`
  return { content: value, bytes }
}

/** `{content: {…}}` with nothing else but `client_id` is a wrapper; every other object is the content itself. */
export function unwrap(value: unknown): { readonly content: unknown; readonly clientId?: unknown } {
  if (!isObject(value) || !isObject(value.content)) return { content: value }
  for (const key in value) if (key !== 'content' && key !== 'client_id') return { content: value }
  return 'client_id' in value ? { content: value.content, clientId: value.client_id } : { content: value.content }
}

function flawIn(value: unknown, level: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined // strings, numbers, booleans: the frame was JSON
  if (level > CONTENT_LEVELS) return `content may be at most ${CONTENT_LEVELS} levels deep: flatten it`
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return 'content must be JSON, got binary data: encode it as base64 text'
  for (const key in value) {
    const flaw = flawIn((value as Record<string, unknown>)[key], level + 1)
    if (flaw) return flaw
  }
  return undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

const nameOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : ArrayBuffer.isView(value) ? 'binary data' : typeof value
