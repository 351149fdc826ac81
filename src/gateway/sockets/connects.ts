import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Limit, type Rate, tokenBuckets } from '../auth/limits.ts'
import { answerHandshake } from './answered-handshake.ts'
import type { Frames } from './frames.ts'
import { sessionIdOf } from './session-id.ts'

/** Connections of one address, and of all, that may be open at once without having said who they are. */
const MAX_STRANGERS = 2_000

/** How often one address may connect, by what it may ask: a school comes back at once, and then a steady trickle. */
const connectRate = ({ perSecond, burst }: Rate): Rate => ({
  perSecond: Math.max(1, perSecond / 100),
  burst: Math.max(1, burst / 10),
})

/** How often one person may connect: each time is recorded. All their tabs may come back at once. */
export const returnRate = ({ perSecond, burst }: Rate): Rate => ({ perSecond: Math.max(1, perSecond / 50), burst })

export interface ConnectsOptions {
  readonly perAddress: Rate
  readonly addressOf: (request: IncomingMessage) => string
  readonly frames: Pick<Frames, 'strangersOf'>
}

/**
 * Middleware of Engine.IO: puts off whoever connects too often, before anything is made of it. Clients come again by
 * themselves after any answer but 101 and 200.
 */
export function limitedConnects({ perAddress, addressOf, frames }: ConnectsOptions) {
  const connects: Limit = tokenBuckets(connectRate(perAddress))
  const mayConnect = (address: string): true | number =>
    frames.strangersOf(address) < MAX_STRANGERS ? connects.take(address) : 1_000

  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const may = sessionIdOf(request) !== null || mayConnect(addressOf(request))
    if (may === true) {
      next()
      return
    }
    const seconds = Math.ceil(may / 1_000)
    const message = `too many connections from this address: try again in ${seconds} s`
    answerHandshake(request, response, 429, { code: 'too-many-requests', message }, seconds)
  }
}
