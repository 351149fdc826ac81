import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'

const open = new WeakSet<object>()

/** Marks a handler as one that needs no token. */
export function opened<Handler extends object>(handler: Handler): Handler {
  open.add(handler)
  return handler
}

/**
 * True when the request goes to a handler that needs no token. What nobody has marked needs one, nothing there
 * included.
 */
export const isOpen = (c: Context): boolean => matchedRoutes(c).some(({ handler }) => open.has(handler))
