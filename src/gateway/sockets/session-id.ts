import type { IncomingMessage } from 'node:http'

/** Of the connection of Engine.IO that a request belongs to; null: it begins one. An empty `sid` does so, too. */
export const sessionIdOf = ({ url = '/' }: Pick<IncomingMessage, 'url'>): string | null =>
  new URL(url, 'http://localhost').searchParams.get('sid') || null
