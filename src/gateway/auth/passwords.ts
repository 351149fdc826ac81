import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import type { Refusal } from '../../../machines/kernel.ts'
import { fairTurns } from './fair-turns.ts'

/** All answer with the refusal `overloaded` when too many passwords are waiting already. `from`: who is asking. */
export interface Passwords {
  /**
   * An argon2id hash in PHC format. With `saltFrom` the salt follows from it and the same password gives the same hash
   * again, which makes a repeated request recognisable.
   */
  hash(password: string, saltFrom?: string, from?: string): Promise<string | Refusal>
  /** With null (nobody of that name) it takes just as long and is never true, so that the time tells nothing. */
  verify(stored: string | null, password: string, from?: string): Promise<boolean | Refusal>
  /**
   * Which of them the password opens. All that were hashed with `saltFrom` cost one hash together, however many they
   * are, as does none at all; of the others the first five are looked at, one by one.
   */
  opens(
    stored: readonly (string | null)[],
    password: string,
    saltFrom: string,
    from?: string,
  ): Promise<readonly boolean[] | Refusal>
}

export const MIN_PASSWORD_CHARACTERS = 8
export const MAX_PASSWORD_CHARACTERS = 512

// argon2id with 19 MiB, 2 passes, 1 lane: the OWASP password storage cheat sheet's first choice; some 10 ms of one
// core. They are the library's defaults, written down because the hashes outlive it.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const PHC = '$argon2id$v=19$m=19456,t=2,p=1$'

// The library works on Node's pool of four threads, which files and name look-ups need too.
const MAX_PARALLEL_HASHES = 2
/** Some five seconds of work; half of it for one of those who ask. */
const MAX_WAITING = { inAll: 1_000, perKey: 500 }
const MAX_OTHER_SALTS = 5

/** Makes one hash at the start, to check the passwords of people who do not exist against. */
export async function openPasswords(): Promise<Passwords> {
  const inTurn = fairTurns(MAX_PARALLEL_HASHES, MAX_WAITING)
  const nobodys = await hash(randomBytes(16).toString('hex'), COST)
  return {
    hash(password, saltFrom, from = '') {
      const salt = saltFrom === undefined ? randomBytes(16) : saltOf(saltFrom)
      return inTurn(from, () => hash(password, { ...COST, salt }))
    },
    verify(stored, password, from = '') {
      return inTurn(from, async () => (await verify(stored ?? nobodys, password)) && stored !== null)
    },
    opens(stored, password, saltFrom, from = '') {
      const salt = saltOf(saltFrom)
      const begin = `${PHC}${salt.toString('base64').replaceAll('=', '')}$`
      const others = stored.filter((one) => one !== null && !one.startsWith(begin)).slice(0, MAX_OTHER_SALTS)
      return inTurn(from, async () => {
        const isOneOfThem = stored.some((one) => one?.startsWith(begin))
        const its = isOneOfThem || others.length === 0 ? await hash(password, { ...COST, salt }) : null
        const right = new Set<string | null>()
        for (const other of others) if (other !== null && (await verify(other, password))) right.add(other)
        return stored.map((one) => one !== null && (right.has(one) || (its !== null && isSame(one, its))))
      })
    },
  }
}

const saltOf = (text: string): Buffer => digest('sha256', text, 'buffer').subarray(0, 16)

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
