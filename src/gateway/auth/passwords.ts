import { hash as digest, randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { type Refusal, refuse } from '../../../machines/kernel.ts'

/** Both answer with the refusal `overloaded` when too many passwords are waiting already. */
export interface Passwords {
  /**
   * An argon2id hash in PHC format. With `saltFrom` the salt follows from it and the same password gives the same hash
   * again, which makes a repeated request recognisable: it must name one person and one request.
   */
  hash(password: string, saltFrom?: string): Promise<string | Refusal>
  /** With null (nobody of that name) it takes just as long and is never true, so that the time tells nothing. */
  verify(stored: string | null, password: string): Promise<boolean | Refusal>
}

export const MIN_PASSWORD_CHARACTERS = 8
export const MAX_PASSWORD_CHARACTERS = 512

// argon2id with 19 MiB, 2 passes, 1 lane: the OWASP password storage cheat sheet's first choice; some 10 ms of one
// core. They are the library's defaults, written down because the hashes outlive it.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

// The library works on Node's pool of four threads, which files and name look-ups need too.
const MAX_PARALLEL_HASHES = 2
const MAX_WAITING = 500

/** Makes one hash at the start, to check the passwords of people who do not exist against. */
export async function openPasswords(): Promise<Passwords> {
  const inTurn = turns(MAX_PARALLEL_HASHES, MAX_WAITING)
  const nobodys = await hash(randomBytes(16).toString('hex'), COST)
  return {
    hash(password, saltFrom) {
      const salt = saltFrom === undefined ? randomBytes(16) : digest('sha256', saltFrom, 'buffer').subarray(0, 16)
      return inTurn(() => hash(password, { ...COST, salt }))
    },
    verify(stored, password) {
      return inTurn(async () => (await verify(stored ?? nobodys, password)) && stored !== null)
    },
  }
}

/** Runs at most `atOnce` at a time, in the order of asking, and refuses what would wait behind `maxWaiting` others. */
function turns(atOnce: number, maxWaiting: number) {
  const waiting: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T | Refusal> => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) return refuse('overloaded')
      await new Promise<void>((resolve) => waiting.push(resolve)) // its turn is handed over by whoever finishes
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
