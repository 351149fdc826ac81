import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Connection, Inbound, InboundCall, InboundRow, Outcome } from '../../delivery/connection.ts'
import type { ProfileCache } from '../../delivery/profile-cache.ts'
import type { Refusals } from '../../delivery/refusals.ts'
import { edits } from '../../edits.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import { LogUnavailable } from '../../log/log.ts'
import { damagedRefusal } from '../../runtime/log-refusals.ts'
import type { Limit } from '../auth/limits.ts'
import { socketRefusals } from '../refusals.ts'
import { type Ack, acknowledge } from './ack.ts'
import type { Lane } from './lane.ts'
import { refusalWords } from './refusal-words.ts'

export interface InboundOptions {
  readonly contracts: readonly { readonly refusals: Refusals; readonly inbound?: Inbound | undefined }[]
  readonly profiles: Pick<ProfileCache, 'fetch'>
  readonly perPerson: Limit
  readonly perAddress: Limit
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly observe: {
    /** `outcome` is `done` or the refusal's code. */
    command(name: string, party: Party, outcome: string, milliseconds: number): void
    unknownEvent(name: string): void
    failed(error: unknown, name: string): void
  }
}

/** The one guarded way in for everything that clients emit. */
export interface InboundGate {
  /** `args` as Socket.IO gave them, the ack last if there is one. Never throws. */
  onFrame(name: unknown, args: unknown[], from: Connection, lane: Lane, verdict: Verdict): void
  /** From now on commands are refused; resolves when those in hand are answered. */
  drain(): Promise<void>
}

/** Is told what came of each frame of a connection. */
export interface Verdict {
  refused(): void
  done(): void
}

/**
 * Knows the name, holds to the limits, reads the shape; then the call runs in the connection's lane. What can be
 * refused without asking anybody is refused at once, whatever waits in the lane. Throws when two contracts listen to
 * one name.
 */
export function openInbound(options: InboundOptions): InboundGate {
  const { profiles, perPerson, perAddress, now, observe } = options
  const entrances = entrancesOf(options.contracts)
  let draining = false
  let inHand = 0
  let idle: (() => void) | undefined

  const decoded = ({ name, entrance, args, from }: Frame): InboundCall | Refusal => {
    if (draining) return refuse('draining')
    const at = now()
    const mayPerson = perPerson.take(personName(from.party))
    const may = mayPerson === true ? perAddress.take(from.address) : mayPerson
    if (may !== true) return refuse('rate-limited', { seconds: String(Math.ceil(may / 1000)) })
    if (from.kind === 'anonymous' && !entrance.inbound.anonymous?.includes(name)) return refuse('token-needed')
    if (from.kind === 'hub') return refuse('hub-looks-on')
    return entrance.row(args, from, at)
  }

  const outcomeOf = async (name: string, call: () => Promise<Outcome>): Promise<Outcome> => {
    try {
      return await call()
    } catch (error) {
      if (error instanceof StreamDamaged) return { about: null, answer: damagedRefusal(error) }
      const unavailable = error instanceof LogUnavailable
      if (!unavailable) observe.failed(error, name)
      return { about: null, answer: refuse(unavailable ? 'unavailable' : 'internal') }
    }
  }

  const answer = async (frame: Frame, call: () => Promise<Outcome>): Promise<void> => {
    const { name, entrance, args, from, ack, cameAt } = frame
    const { inbound, refusals } = entrance
    const outcome = await outcomeOf(name, call)
    const code = outcome.answer instanceof Refusal ? outcome.answer.code : 'done'
    observe.command(name, from.party, code, performance.now() - cameAt)
    if (code === 'done') frame.verdict.done()
    else if (!OURS.has(code)) frame.verdict.refused()
    if (!ack && !inbound.onRefused) return
    const about = outcome.about ?? inbound.aboutIn?.(args) ?? null
    let error: string | null = null
    if (outcome.answer instanceof Refusal) {
      error = await refusalWords(outcome.answer, refusals, from.party.org, profiles).catch((bug: unknown) => {
        observe.failed(bug, name)
        return code
      })
      // Whoever is above the limit and asks for acks is told by them alone.
      if (code !== 'rate-limited' || !ack) inbound.onRefused?.(from, { event: name, code, message: error, about })
    }
    if (!ack) return
    const shown = about !== null && inbound.isAboutNumber ? Number(about) : about
    acknowledge(ack, from, { answer: outcome.answer, about: shown, aboutKey: inbound.about, error })
  }

  /** The documents know no such answer: only who asks for protocol 2 gets one. */
  const tellUnknown = (name: string, ack: unknown, from: Connection): void => {
    if (typeof ack !== 'function' || from.protocol !== 2) return
    const nearest = nearestOf(name.slice(0, MAX_NAME), entrances.keys())
    const hint = nearest === undefined ? 'see /api/v1/asyncapi.json' : `did you mean ${nearest}?`
    ;(ack as Ack)(false, `unknown-event: nobody listens to this; ${hint}`, { code: 'unknown-event' })
  }

  const run = (frame: Frame, lane: Lane): void => {
    inHand++
    const answered = (call: () => Promise<Outcome>): Promise<void> =>
      answer(frame, call)
        .catch((error: unknown) => observe.failed(error, frame.name)) // an answer that cannot be written
        .finally(() => {
          if (--inHand === 0) idle?.()
        })
    const refused = (refusal: Refusal): void => void answered(async () => ({ about: null, answer: refusal }))
    let call: InboundCall | Refusal
    try {
      call = decoded(frame)
    } catch (error) {
      observe.failed(error, frame.name)
      call = refuse('internal')
    }
    const its = call
    if (its instanceof Refusal) refused(its)
    else if (!lane.add((entered) => answered(() => its(entered)), frame.entrance.afterAnswers))
      refused(refuse('overloaded'))
  }

  return {
    onFrame(name, args, from, lane, verdict) {
      const entrance = typeof name === 'string' ? entrances.get(name) : undefined
      if (!entrance) {
        observe.unknownEvent(String(name))
        verdict.refused()
        tellUnknown(String(name), args.at(-1), from)
        return
      }
      const ack = typeof args.at(-1) === 'function' ? (args.pop() as Ack) : undefined
      run({ name: String(name), entrance, args, from, ack, cameAt: performance.now(), verdict }, lane)
    },
    drain() {
      draining = true
      return inHand === 0 ? Promise.resolve() : new Promise((resolve) => (idle = resolve))
    },
  }
}

/** Names are shorter; of a longer one only this is looked at. */
const MAX_NAME = 40
/** Letters that may differ. */
const NEAR = 3

function nearestOf(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = NEAR + 1
  for (const other of names) {
    if (Math.abs(other.length - name.length) >= least) continue
    const distance = edits(name, other)
    if (distance >= least) continue
    least = distance
    nearest = other
  }
  return nearest
}

/** What is known of a name that clients may emit. */
interface Entrance {
  readonly row: InboundRow
  readonly inbound: Inbound
  readonly refusals: Refusals
  readonly afterAnswers: boolean
}

interface Frame {
  readonly name: string
  readonly entrance: Entrance
  /** Without the ack. */
  readonly args: readonly unknown[]
  readonly from: Connection
  readonly ack: Ack | undefined
  /** By `performance.now()`. */
  readonly cameAt: number
  readonly verdict: Verdict
}

/** Refusals that say nothing about whoever asked. */
const OURS: ReadonlySet<string> = new Set(['busy', 'damaged', 'draining', 'internal', 'overloaded', 'unavailable'])

function entrancesOf(contracts: InboundOptions['contracts']): ReadonlyMap<string, Entrance> {
  const entrances = new Map<string, Entrance>()
  for (const { inbound, refusals } of contracts) {
    if (!inbound) continue
    for (const [name, row] of Object.entries(inbound.rows)) {
      if (entrances.has(name)) throw new Error(`two contracts listen to the event ${name}: one of them must rename it`)
      const afterAnswers = inbound.afterAnswers?.includes(name) ?? false
      entrances.set(name, { row, inbound, refusals: { ...socketRefusals, ...refusals }, afterAnswers })
    }
  }
  return entrances
}
