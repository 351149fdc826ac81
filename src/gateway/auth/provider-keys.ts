import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose'
import type { Clock, Timer } from '../../clock.ts'

/** The identity provider does not say now which keys are its own: nothing is known against the token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

export interface ProviderKeysOptions {
  /** Asks the provider. Rejects when there is no answer, or one that is no key set. */
  readonly ask: (signal: AbortSignal) => Promise<JSONWebKeySet>
  readonly clock: Pick<Clock, 'after'>
  /** Milliseconds that have gone by, of a clock that nobody sets: a step of the other one must not age keys. */
  readonly elapsed: () => number
  /** What came of each asking: null, or why it failed. */
  readonly onAsked?: ((failure: unknown) => void) | undefined
}

export interface KeyHealth {
  /** Since the keys in use were asked for; since the start while there have never been any. */
  readonly ageMs: number
  /** The last time that the provider was asked, it did not give its keys. */
  readonly isFailing: boolean
}

/** The keys of an identity provider. */
export interface ProviderKeys {
  /** The key that a token names. Rejects with KeysUnavailable, or with jose's errors when the provider has no such. */
  readonly find: JWTVerifyGetKey
  /** What asks for keys that are newer than this call, and says whether that brought any: they may be the same. */
  renewal(): () => Promise<boolean>
  health(): KeyHealth
  /** Keeps the keys fresh from now on, also when no token comes. */
  start(): void
  stop(): void
}

/** How long the provider may take to answer. */
const ANSWER_MS = 5_000
/** Older keys are asked for again, while they go on being used. */
const FRESH_MS = 10 * 60_000
/** How often that is looked at, and so how often a provider that is away is asked again. */
const LOOK_MS = 10_000
/**
 * Keys are used for so long without their provider: longer, and one that it has taken back would open doors for ever.
 */
const LAST_MS = 24 * 3_600_000
/**
 * From one asking to the next. Anybody can make up the names of keys, so this is how often strangers make us ask; and
 * whoever has a new key waits for no longer, so it must be well below the promised two seconds.
 */
const APART_MS = 1_000
/** A key set has some keys of some kilobytes. */
const MAX_BYTES = 1024 * 1024

/**
 * Keys are asked for once at a time, for everybody who waits. A token with a known key never waits; one with an unknown
 * key is answered no only by a key set that was asked for after it came, so that whoever comes first after a rotation
 * gets in.
 */
export function providerKeys({ ask, clock, elapsed, onAsked }: ProviderKeysOptions): ProviderKeys {
  const startedAt = elapsed()
  const stopping = new AbortController()
  let known: { readonly find: JWTVerifyGetKey; readonly askedAt: number } | null = null
  let asking: Promise<boolean> | null = null
  let lastAskedAt = Number.NEGATIVE_INFINITY
  let isFailing = false
  let looking: Timer | undefined

  const usable = () => (known !== null && elapsed() - known.askedAt <= LAST_MS ? known : null)

  /** True when there are newer keys now; whoever asks meanwhile gets the same answer. */
  const askAgain = (): Promise<boolean> => {
    asking ??= askInTurn().finally(() => {
      asking = null
    })
    return asking
  }

  const askInTurn = async (): Promise<boolean> => {
    const waitMs = lastAskedAt + APART_MS - elapsed()
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.after(waitMs, resolve))
    const askedAt = elapsed()
    lastAskedAt = askedAt
    try {
      const set = await ask(AbortSignal.any([stopping.signal, AbortSignal.timeout(ANSWER_MS)]))
      const find = createLocalJWKSet(set)
      // A provider that trusts nobody is one that is broken: what it said before is more likely.
      if (!set.keys.some(isUsable)) throw new Error('the identity provider answered a key set without usable keys')
      known = { find, askedAt }
      isFailing = false
      onAsked?.(null)
      return true
    } catch (error) {
      isFailing = true
      onAsked?.(error)
      return false
    }
  }

  const askWhenOld = (): void => {
    const isFresh = known !== null && elapsed() - known.askedAt <= FRESH_MS
    if (!isFresh && asking === null && elapsed() - lastAskedAt >= LOOK_MS) void askAgain() // never rejects
  }

  const look = (): void => {
    askWhenOld()
    looking = clock.after(LOOK_MS, look)
  }

  return {
    async find(header, token) {
      const cameAt = elapsed()
      askWhenOld()
      for (;;) {
        const keys = usable()
        try {
          if (keys !== null) return await keys.find(header, token)
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey) || keys === null || keys.askedAt >= cameAt) throw error
        }
        if (!(await askAgain())) throw new KeysUnavailable('the identity provider did not give its keys')
      }
    },
    renewal() {
      const cameAt = elapsed()
      return async () => (known === null || known.askedAt < cameAt) && askAgain()
    },
    health: () => ({ ageMs: elapsed() - (known?.askedAt ?? startedAt), isFailing }),
    start: look,
    stop() {
      looking?.cancel()
      stopping.abort()
    },
  }
}

function isUsable(key: JWK): boolean {
  try {
    createPublicKey({ key: key as JsonWebKeyInput['key'], format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/** Asks for the key set at an address, as `ask` above. */
export const keySetAt =
  (url: string): ProviderKeysOptions['ask'] =>
  async (signal) => {
    const headers = { Accept: 'application/json, application/jwk-set+json' }
    const response = await fetch(url, { headers, redirect: 'manual', signal })
    if (response.ok) return JSON.parse(await textOf(response)) as JSONWebKeySet // looked at by createLocalJWKSet
    await response.body?.cancel()
    throw new Error(`the identity provider answered ${response.status} in place of its keys`)
  }

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error(`the identity provider answered more than ${MAX_BYTES} bytes of keys`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
