import type { Party, Role } from '../../machines/kernel.ts'
import type { PresenceCommand, Return } from '../../machines/presence/commands.ts'
import { personIn } from '../../machines/stream.ts'
import type { Clock, Timer } from '../clock.ts'
import { forEachLimited, keyedQueue } from '../keyed-queue.ts'
import { slice } from '../slices.ts'
import { absences } from './absences.ts'
import { type Expired, expiry } from './expiry.ts'
import { type Leases, LeasesUnavailable } from './leases.ts'
import { openSocketsHere } from './open-sockets.ts'

/** Where the presence machine of a person stands. */
export type RecordedPresence = 'offline' | 'online' | 'lost'

/**
 * How a socket ended: `closed` by its client, or `lost` in any other way; `at`: until when its owner was there,
 * milliseconds since 1970.
 */
export interface End {
  readonly how: 'closed' | 'lost'
  readonly at: number
}

/** A person is `<org>.<id>`, without dots in either part. */
export interface PresenceTrackerOptions {
  readonly leases: Leases
  /** Sends a command to the entity `presence-<person>`; resolves to what is recorded after it. */
  ask(person: string, command: PresenceCommand): Promise<RecordedPresence>
  readonly clock: Clock
  /** How long a lost connection may come back. 0 = not at all. */
  readonly graceMs: number
  /** The leases' time to live. */
  readonly ttlMs: number
  /**
   * When somebody whose leases have expired was last seen, milliseconds since 1970; null = nobody knows of such leases.
   */
  lastSeen(person: string): Promise<number | null>
  /** When the process before this one was last alive, where there is one at a time; null = nobody knows. */
  readonly diedAt: number | null
  /** Everybody recorded as online (not lost), as far as this node knows. May lag. */
  online(): Iterable<string>
  /** Everybody recorded as lost, with the end of their grace, which tells one loss from another. May lag. */
  due(): Iterable<Expired>
  /** Of the work in the background; it is done again later. */
  onError(error: unknown): void
}

export interface PresenceTracker {
  /**
   * Once, when `online` and `due` are up to date. Whoever is recorded online without any lease is lost from now on;
   * those already lost get the grace from now: while no server was there they could not have come back.
   */
  start(): Promise<void>
  /**
   * Resolves when the presence is recorded. Rejects when it cannot be; the socket counts as connected all the same,
   * until `disconnected`.
   */
  connected(person: string, role: Role, socket: string): Promise<void>
  /** Never rejects: what could not be recorded is tried again. */
  disconnected(person: string, socket: string, end: End): Promise<void>
  /** They came back at `backAt`, last seen at `lostAt`, before the loss was noticed: records both. Never rejects. */
  recordReturn(person: string, role: Role, times: Pick<Return, 'lostAt' | 'backAt' | 'backBefore'>): Promise<void>
  /**
   * To be called for every recorded edge, of all nodes: somebody recorded as gone who has a socket here is put right.
   * `leftMs`: what they have, from now on, to come back; by default the whole grace.
   */
  onEdge(person: string, state: RecordedPresence, leftMs?: number): void
  /** Resolves when nothing is under way. */
  quiet(): Promise<void>
  /**
   * To be called before the node closes its sockets: these closings are then not recorded, and at the next start
   * everybody gets the grace.
   */
  stop(): Promise<void>
}

/** Who is here cannot be recorded now: whoever comes must come again. */
export class PresenceUnavailable extends Error {
  override readonly name = 'PresenceUnavailable'
}

/** Nothing can be recorded of this person any more: they are left alone. */
export class PresenceDamaged extends Error {
  override readonly name = 'PresenceDamaged'
}

const MAX_PARALLEL_PEOPLE = 32

/**
 * Keeps recorded presence true to the leases. Four things can make it wrong, and each is answered by looking again:
 *   - a lease taken on one node between another node's count and what it records by it: count again after recording;
 *   - a record that contradicts a socket of this node: `onEdge`, and each sweep;
 *   - a node that died: its leases expire, and the next sweep finds that its people have none but those;
 *   - leases that cannot be counted: nothing is recorded as gone but what was seen here, and that later.
 * A node that alone cannot reach the leases while the others can is called dead by them and corrects them, again and
 * again; nobody hears of it but the log, as long as there is a grace.
 */
export function presenceTracker(options: PresenceTrackerOptions): PresenceTracker {
  const { leases, clock, graceMs, ttlMs } = options
  const sweepMs = ttlMs / 3
  const retryMs = Math.min(1_000, sweepMs)
  const here = openSocketsHere()
  const turns = keyedQueue()
  const absent = absences(sweepMs)
  /**
   * Until when people were seen at connections that ended while others of theirs counted as open. Those may have been
   * dead already: whoever closes one tab was there then, whenever the other was last heard.
   */
  const seen = new Map<string, number>()
  /** People whose last socket here is gone, which could not be recorded yet. */
  const unfinished = new Map<string, () => Promise<void>>()
  let sweeping: Timer | undefined
  let retrying: Timer | undefined
  let notBefore = Number.NEGATIVE_INFINITY
  let stopped = false

  const expiring = expiry({
    clock,
    graceMs,
    notBefore: () => notBefore,
    due: options.due,
    expire: (people) => inBackground(people, expire, ({ person }) => person),
  })

  async function arrive(person: string, role: Role): Promise<RecordedPresence> {
    return options.ask(person, { type: 'Arrive', role, by: party(person, role), at: clock.now() })
  }

  async function leave(person: string, how: End['how'], by: Party, seenAt: number | null): Promise<RecordedPresence> {
    const lastSeen = Math.max(seenAt ?? 0, seen.get(person) ?? 0)
    const last = lastSeen === 0 ? {} : { seenAt: lastSeen }
    return options.ask(person, { type: 'Leave', how, graceMs, ...last, by, at: clock.now() })
  }

  const counted = async (person: string): Promise<number> => (await leases.count([person]))[0] ?? 0

  /** In the person's turn, with no socket of theirs left here. */
  async function onLastSocketClosed(person: string, role: Role, socket: string, { how, at }: End): Promise<void> {
    const left = await leases.release(person, socket)
    if (here.has(person) || left > 0) {
      // Their ping or their lease says when they end, and nothing earlier: a busy tab answers nobody for a while.
      seen.set(person, Math.max(at, seen.get(person) ?? 0))
      return
    }
    const by = party(person, how === 'closed' ? role : 'system')
    let state = await leave(person, how, by, at)
    // Bounded: should others come and go as fast as we count, the sweep has the last word.
    for (let round = 0; round < 5; round++) {
      const somebody = here.has(person) || (await counted(person)) > 0
      if (somebody === (state === 'online')) return
      state = somebody ? await arrive(person, here.roleOf(person) ?? role) : await leave(person, how, by, at)
    }
  }

  async function finish(person: string, work: () => Promise<void>): Promise<void> {
    try {
      await turns.run(person, work)
    } catch (error) {
      if (error instanceof PresenceDamaged) return
      if (!(error instanceof PresenceUnavailable)) options.onError(error) // it is tried again
      if (here.has(person)) return
      unfinished.set(person, work)
      if (!stopped) retrying ??= clock.after(retryMs, retry)
    }
  }

  function retry(): void {
    retrying = undefined
    const again = [...unfinished]
    unfinished.clear()
    for (const [person, work] of again) void finish(person, work) // never rejects
  }

  async function reconcile(person: string): Promise<void> {
    const role = here.roleOf(person)
    if (role === undefined) return
    // Whoever called this node dead has seen its leases expire.
    await Promise.all(here.socketsOf(person).map((socket) => leases.hold(person, socket).catch(failed)))
    await arrive(person, role)
  }

  /** Their node is dead, if nobody holds a lease for them even now. */
  async function lose(person: string, seenAt: number | null): Promise<void> {
    if (here.has(person) || (await counted(person)) > 0) return
    await leave(person, 'lost', party(person, 'system'), seenAt)
  }

  async function expire({ person, until }: Expired): Promise<void> {
    if (here.has(person)) return // they are back; it is only not recorded yet
    await options.ask(person, { type: 'Expire', until, by: party(person, 'system'), at: clock.now() })
  }

  async function inBackground<T = string>(
    all: Iterable<T>,
    work: (one: T) => Promise<void>,
    personOf: (one: T) => string = String,
  ): Promise<void> {
    await forEachLimited(MAX_PARALLEL_PEOPLE, all, async (one) => {
      if (!stopped) await turns.run(personOf(one), () => work(one)).catch(options.onError)
    })
  }

  async function sweep(): Promise<void> {
    const recorded = new Set<string>()
    for (const person of options.online()) {
      recorded.add(person)
      const pause = slice()
      if (pause) await pause
    }
    await inBackground(
      here.people().filter((person) => !recorded.has(person)),
      reconcile,
    )
    const elsewhere = [...recorded].filter((person) => !here.has(person))
    const counts = await leases.count(elsewhere)
    const gone = new Set(absent.look(elsewhere, counts, clock.elapsed()))
    const without = elsewhere.filter((_, i) => counts[i] === 0)
    await inBackground(without, async (person) => {
      const seenAt = await options.lastSeen(person)
      // Leases that are known to have expired prove it; that there are none does so only when it stays like that.
      if (seenAt !== null || gone.has(person)) await lose(person, seenAt)
    })
    expiring.look()
  }

  function sweepLater(): void {
    if (stopped) return
    sweeping = clock.after(sweepMs, () => {
      void turns.run('sweep', () => sweep().catch(failed)).then(sweepLater) // `failed` does not throw
    })
  }

  function failed(error: unknown): void {
    if (error instanceof LeasesUnavailable) absent.forget()
    options.onError(error)
  }

  return {
    async start() {
      notBefore = clock.elapsed() + graceMs
      const recorded = [...options.online()].filter((person) => !here.has(person))
      await turns
        .run('sweep', async () => {
          const counts = await leases.count(recorded)
          await inBackground(
            recorded.filter((_, i) => counts[i] === 0),
            async (person) => lose(person, (await options.lastSeen(person)) ?? options.diedAt),
          )
        })
        .catch(failed)
      expiring.look()
      sweepLater()
    },
    async connected(person, role, socket) {
      if (stopped) throw new PresenceUnavailable('presence has stopped with this node: connect to another one')
      here.add(person, role, socket)
      unfinished.delete(person)
      await turns.run(person, async () => {
        if (!here.holds(person, socket)) return // ended before its turn came: its ending is next in the queue
        await leases.hold(person, socket).catch((error) => {
          if (!(error instanceof LeasesUnavailable)) throw error
          options.onError(error) // what this node knows is enough; the lease is taken when that is possible again
        })
        await arrive(person, role)
      })
    },
    async disconnected(person, socket, end) {
      const role = here.roleOf(person)
      if (stopped || role === undefined || !here.remove(person, socket)) return
      await finish(person, () => onLastSocketClosed(person, role, socket, end))
    },
    async recordReturn(person, role, times) {
      await inBackground([person], async () => {
        const by = party(person, role)
        await options.ask(person, { type: 'Return', role, graceMs, ...times, by, at: clock.now() })
      })
    },
    onEdge(person, state, leftMs = graceMs) {
      if (state !== 'online') seen.delete(person)
      if (state !== 'lost') expiring.over(person)
      if (stopped || state === 'online') return
      if (state === 'lost') expiring.lost(person, leftMs)
      if (here.has(person)) void inBackground([person], reconcile) // reports its errors itself
    },
    quiet: () => turns.quiet(),
    async stop() {
      stopped = true
      expiring.stop()
      sweeping?.cancel()
      retrying?.cancel()
      await turns.quiet()
    },
  }
}

function party(person: string, role: Party['role']): Party {
  const { org, id } = personIn(person)
  return { org, id: role === 'system' ? 'system' : id, role }
}
