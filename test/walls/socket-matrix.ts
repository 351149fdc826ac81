import type { Client } from '../support/client.ts'
import { connect } from '../support/client.ts'
import { type AsyncApi, type Call, callsOf } from './calls.ts'
import type { Pair, Values } from './combinations.ts'
import { slotOfField } from './kinds.ts'
import { differenceOf, leakIn, pairsOf, Tally, type Verdict } from './matrix.ts'
import { type Organisation, ROLES, type Role } from './organisation.ts'
import type { Overheard } from './overheard.ts'

/** Everybody who can have a connection; a hub looks on for a teacher. */
const CALLERS = [...ROLES, 'hub', 'anonymous'] as const
type Caller = (typeof CALLERS)[number]

interface SocketMatrixOptions {
  readonly url: string
  readonly own: Organisation
  readonly other: Organisation
  readonly overheard: Overheard
  readonly isWhole: boolean
}

/** What a handshake may name: a lesson to come into, and hints that must agree with the token. */
const IN_HANDSHAKE = ['lesson_id', 'org_id'] as const

/** Every event, from everybody, with every mix of ids; and what may stand in a handshake. */
export async function socketMatrix({ url, own, other, overheard, isWhole }: SocketMatrixOptions): Promise<Verdict> {
  const described = (await (await fetch(`${url}/api/v1/asyncapi.json`)).json()) as AsyncApi
  const calls = callsOf(described).filter(({ slots }) => slots.length > 0)
  const tally = new Tally()

  const come = async (
    caller: Caller,
    namespace = '/',
    query: Readonly<Record<string, string>> = {},
  ): Promise<Client> => {
    const token = caller === 'anonymous' ? undefined : own.tokens[roleOf(caller)]
    const client = await connect(`${url}${namespace}`, {
      query: {
        protocol: '2',
        role: roleOf(caller),
        ...(caller === 'hub' ? { product_type: 'manager' } : {}),
        ...query,
      },
      ...(token === undefined ? {} : { auth: { token } }),
    })
    overheard.listen(client)
    return client
  }

  /** The ack, and what was told on the way: everything that came before an answer to something else. */
  const answerTo = async (client: Client, { name, data, namespace }: Call, values: Values): Promise<string> => {
    tally.cells++
    const before = client.heard.length
    const ack = await client.ask(name, { ...data, ...values })
    await client.ask(namespace === '/' ? 'unsubscribeFromCourse' : 'leave_project', namespace === '/' ? FENCE : {})
    const isRefused = ack[0] === false
    return JSON.stringify(isRefused ? [ack, refusalsIn(client.heard.slice(before))] : ack)
  }

  const compared = async (client: Client, caller: Caller, call: Call, pair: Pair): Promise<void> => {
    const what = `${caller}: ${call.name} with ${pair.whose.join(', ')}`
    const foreign = await answerTo(client, call, pair.foreign)
    const missing = await answerTo(client, call, pair.missing)
    const leak = leakIn(foreign, other, pair.foreign)
    if (leak !== null) tally.blame(`${what}: ${leak}`)
    if (/"internal/.test(foreign)) tally.blame(`${what}: ${foreign}`)
    const difference = differenceOf(foreign, missing, pair, other)
    if (difference !== null) tally.differs(call.name, `${what}: ${difference}`)
    if (!client.socket.connected) tally.blame(`${what}: the connection has ended`)
  }

  const isCoded = (call: Call): boolean => call.slots.some(({ kind }) => kind === 'lessonCode')

  const all = async (caller: Caller): Promise<void> => {
    for (const namespace of new Set(calls.map((call) => call.namespace))) {
      const asked = calls
        .filter((one) => one.namespace === namespace && !isCoded(one))
        .flatMap((call) => pairsOf(call.slots, own, other, isWhole).map((pair) => ({ call, pair })))
      for (let n = 0; n < asked.length; n += PAIRS_PER_CONNECTION) {
        const client = await come(caller, namespace).catch(() => null)
        if (client === null) break // this is not for them
        for (const { call, pair } of asked.slice(n, n + PAIRS_PER_CONNECTION))
          await compared(client, caller, call, pair)
        client.close()
      }
    }
  }

  /** Wrong codes are counted for each connection, and the right code of any lesson lets in whoever has no token. */
  const coded = async (caller: Caller): Promise<void> => {
    for (const call of calls.filter(isCoded)) {
      const pairs = pairsOf(call.slots, own, other, false).filter((_, n) => n % VARIANTS === 0)
      for (const pair of pairs) {
        if (
          caller === 'anonymous' &&
          call.slots.some(({ kind }, i) => kind === 'lessonCode' && pair.whose[i] === 'strange')
        )
          continue
        const client = await come(caller)
        await compared(client, caller, call, pair)
        client.close()
      }
    }
  }

  const arrivals = async (caller: Caller): Promise<void> => {
    for (const name of IN_HANDSHAKE)
      for (const pair of pairsOf([{ ...slotOfField(name, ''), optional: false }], own, other, false)) {
        const told = async (values: Values): Promise<string> => {
          tally.cells++
          try {
            const client = await come(caller, '/', { [name]: String(values[name]) })
            await client.ask('leave_lesson', {})
            client.close()
            return JSON.stringify(refusalsIn(client.heard))
          } catch (error) {
            return JSON.stringify([
              error instanceof Error ? [error.message, (error as { data?: unknown }).data] : error,
            ])
          }
        }
        const [foreign, missing] = [await told(pair.foreign), await told(pair.missing)]
        const difference = differenceOf(foreign, missing, pair, other)
        if (difference !== null) tally.differs(`handshake ${name}`, `${caller}: ${name} in a handshake: ${difference}`)
      }
  }

  await Promise.all(CALLERS.map(all))
  for (const caller of CALLERS) await coded(caller)
  await Promise.all(CALLERS.map(arrivals))
  return tally.verdict()
}

/** Whoever is refused again and again is not read for a while: nobody here is one of those. */
const PAIRS_PER_CONNECTION = 8

/** A call that is answered yes: what was told before it has come when its ack does. */
const FENCE = { course_id: 'fence' }

/** As many as there are ids of a kind in different states, so that one of each mix is left. */
const VARIANTS = 3

const roleOf = (caller: Caller): Role => (caller === 'hub' ? 'teacher' : caller === 'anonymous' ? 'student' : caller)

/** What tells a refusal besides the ack; what goes on around it comes and goes. */
const refusalsIn = (heard: Client['heard']): unknown =>
  heard.filter(({ name }) => /error/i.test(name)).map(({ name, data }) => [name, data])
