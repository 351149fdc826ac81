import type { PresenceCommand } from '../../machines/presence/commands.ts'
import { decide } from '../../machines/presence/decide.ts'
import type { PresenceEvent } from '../../machines/presence/events.ts'
import { type PresenceState, presenceMachine } from '../../machines/presence/machine.ts'
import type { Clock, Timer } from '../../src/clock.ts'
import { LogUnavailable } from '../../src/log/log.ts'
import type { Leases } from '../../src/presence/leases.ts'
import { type End, type PresenceTracker, presenceTracker, type RecordedPresence } from '../../src/presence/tracker.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { replay } from '../support/given.ts'

export const anna = 'acme.anna'
export const graceMs = 15_000
export const ttlMs = 30_000

export interface Node {
  readonly name: string
  readonly keeper: PresenceTracker
  readonly sockets: Set<string>
  readonly errors: unknown[]
  readonly timers: Timer[]
  alive: boolean
  /** How many recorded events this node has heard of. */
  heard: number
}

/**
 * One person, one log, and nodes that share it: recorded by the real machine, with the optimistic rule of the real
 * rooms.
 */
export interface World {
  readonly clock: ManualClock
  readonly log: PresenceEvent[]
  readonly nodes: Node[]
  /** While set, nothing can be recorded. */
  logBroken: boolean
  state(): RecordedPresence
  /** Starts one more node that already knows what is recorded. */
  boot(): Promise<Node>
  /** The process is gone: nothing of it is heard again, neither of its leases nor of its commands. */
  kill(node: Node): void
  connect(node: Node, socket?: string): Promise<void>
  end(node: Node, socket: string, how: End['how']): Promise<void>
  /** Lets a node hear what was recorded. */
  deliver(node: Node): void
  /** Until nothing is under way and everybody has heard everything. */
  settle(): Promise<void>
  /** Lets time go by in small steps, settling in each. */
  pass(ms: number): Promise<void>
}

/**
 * @param openLeases of a node that starts now, given a clock that stops with it
 * @param seed of how long the log takes to answer, in turns of the event loop
 */
export function world(openLeases: (clock: Clock, node: string) => Promise<Leases>, seed = 1): World {
  const clock = manualClock()
  const log: PresenceEvent[] = []
  const nodes: Node[] = []
  let dice = seed
  let diedAt: number | null = null
  let names = 0

  const state = (upTo = log.length): PresenceState => replay(presenceMachine, log.slice(0, upTo))

  async function aWhile(): Promise<void> {
    dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes; its high bits are the random ones
    const most = dice >>> 30 === 0 ? 60 : 6
    for (let turns = (dice >>> 8) % most; turns > 0; turns--) await new Promise(setImmediate)
  }

  async function ask(command: PresenceCommand): Promise<RecordedPresence> {
    for (;;) {
      const revision = log.length
      const decision = decide(state(), command)
      await aWhile()
      if (it.logBroken) throw new LogUnavailable('broken by the test')
      if (log.length !== revision) continue
      log.push(...(decision as readonly PresenceEvent[])) // presence never refuses
      return state().value
    }
  }

  async function boot(): Promise<Node> {
    async function alive<T>(work: () => Promise<T>): Promise<T> {
      await aWhile()
      if (!node.alive) return new Promise(() => {})
      const answer = await work()
      await aWhile()
      return node.alive ? answer : new Promise(() => {})
    }
    const alone = (start: () => Timer): Timer => {
      if (!node.alive) return { cancel() {} }
      const timer = start()
      node.timers.push(timer)
      return timer
    }
    const own: Clock = {
      ...clock,
      after: (ms, run) => alone(() => clock.after(ms, run)),
      at: (instant, run) => alone(() => clock.at(instant, run)),
    }
    const name = `n${names++}`
    const node: Node = {
      name,
      alive: true,
      timers: [],
      heard: log.length,
      sockets: new Set(),
      errors: [],
      keeper: undefined as unknown as PresenceTracker,
    }
    const leases = await openLeases(own, name)
    const known = (): PresenceState => state(node.heard)
    const keeper = presenceTracker({
      leases: {
        hold: (person, socket) => alive(() => leases.hold(person, socket)),
        release: (person, socket) => alive(() => leases.release(person, socket)),
        count: (people) => alive(() => leases.count(people)),
        elsewhere: (person) => alive(() => leases.elsewhere(person)),
        close: leases.close,
      },
      lastSeen: () =>
        alive(async () => {
          const seen = (await leases.elsewhere(anna)).map(({ renewedAt }) => renewedAt)
          return seen.length === 0 ? null : Math.max(...seen)
        }),
      diedAt,
      ask: (_, command) => alive(() => ask(command)),
      clock: own,
      graceMs,
      ttlMs,
      online: () => (known().matches('online') ? [anna] : []),
      due: () => {
        const { until } = known().context
        return until === null ? [] : [{ person: anna, until }]
      },
      onError: (error) => node.errors.push(error),
    })
    Object.assign(node, { keeper })
    nodes.push(node)
    await keeper.start()
    return node
  }

  function deliver(node: Node): void {
    while (node.alive && node.heard < log.length) node.keeper.onEdge(anna, state(++node.heard).value)
  }

  async function settle(): Promise<void> {
    let before: number
    do {
      before = log.length
      for (const node of nodes.filter((each) => each.alive)) {
        await node.keeper.quiet()
        deliver(node)
        await node.keeper.quiet()
      }
    } while (log.length !== before)
  }

  const it: World = {
    clock,
    log,
    nodes,
    logBroken: false,
    state: () => state().value,
    boot,
    kill(node) {
      diedAt = clock.now()
      node.alive = false
      for (const timer of node.timers) timer.cancel()
      node.sockets.clear()
    },
    connect(node, socket = `s${names++}`) {
      node.sockets.add(socket)
      return node.keeper.connected(anna, 'agent', socket)
    },
    end(node, socket, how) {
      node.sockets.delete(socket)
      return node.keeper.disconnected(anna, socket, { how, at: clock.now() })
    },
    deliver,
    settle,
    async pass(ms) {
      for (let left = ms; left > 0; left -= ttlMs / 6) {
        clock.advance(Math.min(left, ttlMs / 6))
        await settle()
      }
    },
  }
  return it
}
