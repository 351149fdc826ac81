import { type Party, Refusal } from '../../machines/kernel.ts'
import { isOf, type PersonRef, personIn, personName } from '../../machines/stream.ts'
import { keepNewest } from '../keep-newest.ts'
import { type Log, LogUnavailable } from '../log/log.ts'
import { recordedAt } from '../log/recorded-at.ts'
import { isDamaged } from './damaged-entities.ts'
import type { Entities } from './entities.ts'

/**
 * People as numbers, for clients that know no other ids. An id that is a whole number from 1 to 2^31-1 is its own
 * number, in its organisation. Everybody else is given one above, counted by the log: so none is given twice, and none
 * that is given can be one that is an id.
 */
export interface Numbers {
  /** Gives one to whoever has none. Rejects with LogUnavailable and StreamDamaged. */
  of(person: PersonRef): Promise<number>
  /** Null: nobody of this organisation. */
  personOf(number: number, org: string): Promise<string | null>
}

export interface NumbersParts {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly log: Pick<Log, 'read'>
  readonly now: () => number
}

/** The first that is given: ids that are numbers end below. */
const FIRST = 2 ** 31
const COUNTER = 'users'
const MAX_KNOWN = 50_000

/** Null for an id that is no number. */
function ownNumber(id: string): number | null {
  if (!/^[1-9]\d{0,9}$/.test(id)) return null
  const number = Number(id)
  return number < FIRST ? number : null
}

export function numbers({ entities, log, now }: NumbersParts): Numbers {
  const known = new Map<string, Promise<number>>()

  const given = async (person: PersonRef): Promise<number> => {
    const name = personName(person)
    const { number } = (await entities.state('number', name)).state.context
    if (number !== null) return number
    const by: Party = { id: 'system', org: person.org, role: 'system' }
    const taken = await entities.ask('counter', COUNTER, { type: 'TakeNumber', key: name, by, at: now() })
    if (isDamaged(taken)) await entities.state('counter', COUNTER) // rejects with what is wrong with it
    if (taken instanceof Refusal) throw new LogUnavailable(`no number could be taken: ${taken.code}`)
    // Two nodes may each take one for the same person: the first that is given is theirs.
    const command = { type: 'GiveNumber', number: FIRST + taken.seq, by, at: now() } as const
    const answer = await entities.ask('number', name, command)
    if (isDamaged(answer)) await entities.state('number', name)
    if (answer instanceof Refusal) throw new LogUnavailable(`no number could be given: ${answer.code}`)
    return (await entities.state('number', name)).state.context.number ?? FIRST + taken.seq
  }

  return {
    of(person) {
      const own = ownNumber(person.id)
      if (own !== null) return Promise.resolve(own)
      const name = personName(person)
      const its = known.get(name) ?? given(person)
      known.set(name, its)
      keepNewest(known, MAX_KNOWN)
      its.catch(() => known.delete(name))
      return its
    },
    async personOf(number, org) {
      if (!Number.isSafeInteger(number) || number < 1) return null
      if (number < FIRST) return String(number)
      const recorded = await recordedAt(log, `counter-${COUNTER}`, number - FIRST)
      if (!recorded || !isOf('counter', recorded)) return null
      const person = personIn(recorded.event.key)
      return person.org === org && (await this.of(person)) === number ? person.id : null
    },
  }
}
