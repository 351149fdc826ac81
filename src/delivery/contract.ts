import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Party, Role } from '../../machines/kernel.ts'
import type { OnlineRow } from '../../projections/online.ts'
import type { Projection } from '../../projections/projection.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { FileStore } from '../files/file-store.ts'
import type { Authenticator } from '../gateway/auth/authenticator.ts'
import type { Limit } from '../gateway/auth/limits.ts'
import type { Organisations } from '../gateway/auth/organisations.ts'
import type { Passwords } from '../gateway/auth/passwords.ts'
import type { EventStreams } from '../gateway/http/event-streams.ts'
import type { HttpEnv } from '../gateway/http/middleware.ts'
import type { Views } from '../gateway/http/pages.ts'
import type { Log } from '../log/log.ts'
import type { Hubs } from '../presence/hubs.ts'
import type { Leases } from '../presence/leases.ts'
import type { Entities } from '../runtime/entities.ts'
import type { ViewRunner } from '../views/runner.ts'
import type { CatchUp } from './catch-up.ts'
import type { Calls, Connection, Inbound } from './connection.ts'
import type { Feed } from './feed.ts'
import type { Follower } from './follower.ts'
import type { Listener } from './listeners.ts'
import type { LiveModel } from './live-model.ts'
import type { RoomName } from './notice.ts'
import type { Outlet } from './outlet.ts'
import type { Hearer, Past } from './past.ts'
import type { ProfileCache } from './profile-cache.ts'
import type { Refusals } from './refusals.ts'
import type { Shape } from './shape.ts'
import type { Subscriptions, Topic } from './subscriptions.ts'

/** One client-facing system. Machinery serves any list of them and knows none. */
export interface Contract {
  readonly name: string
  /** The Socket.IO namespace of its clients. `/` is everybody's; another one is this contract's own. */
  readonly namespace: string
  /** Of a namespace of its own. */
  readonly door?: Door
  /** What it lists, kept up by the installation's view runners. */
  readonly views: readonly Projection[]
  /** Every name that it pushes, with the shape of the data. */
  readonly wire: Readonly<Record<string, Shape>>
  /** Every name that it tells one connection besides: openings, answers, refusals. */
  readonly toOne?: Readonly<Record<string, Shape>>
  /** What its clients may emit. */
  readonly calls?: Calls
  readonly refusals: Refusals
  /** Fills an empty log with something to look at: called once, at the very first start. */
  readonly seed?: (parts: SeedParts) => Promise<readonly DemoLogin[]>
  /** Puts the contract on a node: called once, before the node follows the log. */
  open(node: Node): Served
}

/** The namespaces of these contracts, the default one first. */
export const namespacesOf = (contracts: readonly Pick<Contract, 'namespace'>[]): readonly string[] => [
  ...new Set(['/', ...contracts.map(({ namespace }) => namespace)]),
]

/** Who comes into a namespace, and with how much at once. */
export interface Door {
  /** These, with a token. */
  readonly roles: readonly Role[]
  /** Of one frame; default: as in all others. */
  readonly maxFrameBytes?: number
}

export type SeedParts = Pick<Node, 'log' | 'entities' | 'passwords'> & { readonly now: () => number }

/** A log-in of the demo organisation. */
export interface DemoLogin {
  readonly role: string
  readonly email: string
  readonly password: string
}

/** The data of every name, by a contract's table of shapes. */
export type WireOf<Shapes extends Readonly<Record<string, Shape>>> = {
  readonly [Name in keyof Shapes]: Shapes[Name]['_output']
}

/** A contract on one node. Everything a client is ever told comes out of `feeds` and openings. */
export interface Served {
  // biome-ignore lint/suspicious/noExplicitAny: each feed is called with the changes of its own model only
  readonly feeds?: readonly Feed<any>[]
  readonly inbound?: Inbound
  /** The rooms that a connection enters on arrival, besides that of its person. */
  readonly rooms?: (hearer: Hearer) => readonly RoomName[]
  /**
   * Called in the turn in which the connection enters its rooms: what is recorded later comes as a push, what was
   * recorded before is in the opening that is emitted here. `probe`: it matters here whether other connections of the
   * same person, which count as open, are dead; the gateway finds out.
   */
  readonly arrive?: (connection: Connection) => 'probe' | undefined
  /**
   * Makes ready what a new connection is told first, where memory does not have all of it: what is pushed to the
   * connection waits meanwhile. Called before `arrive`; undefined = nothing. Not for one that is told what it has
   * missed: that takes the place of an opening.
   */
  readonly prepare?: (connection: Connection) => Opening | Promise<Opening> | undefined
  /** What it tells again to those who were away; without, it tells nothing that anybody could miss. */
  readonly past?: Past
  /**
   * Whether this person takes part in what the handshake's query names: a client that knows no token goes on there when
   * it comes back with the same handshake.
   */
  readonly keepsPlace?: (party: Party, query: Connection['query']) => boolean
  readonly subscriptions?: readonly Subscriptions[]
  readonly routes?: (app: OpenAPIHono<HttpEnv>) => void
  readonly policies?: readonly Policy[]
  /** Ends what still waits or runs; may ask the entities for a last time. */
  readonly stop?: () => void | Promise<void>
}

/**
 * Tells what was made ready, in the turn in which the connection arrives. False = it is not what this node has pushed
 * by now, and nothing is told: it is made ready again.
 */
export type Opening = () => boolean

/** Answers events with commands. It looks at states, so that it needs no position of its own. */
export interface Policy extends Listener {
  /**
   * Once, when the models are live, before anybody is recorded as lost because this node was down. Resolves when
   * everything has been looked at.
   */
  readonly catchUp?: () => Promise<void>
  /** Once, when everybody who is connected has been heard of. Resolves when everything has been looked at. */
  readonly start?: () => Promise<void> | void
}

/** A policy that tries again later what failed: its contract stops it. */
export interface StoppablePolicy extends Policy {
  stop(): void | Promise<void>
}

/** What machinery offers to contracts. */
export interface Node {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly entities: Entities
  /** Reads the live views. */
  readonly views: Views & Pick<ViewRunner, 'get'>
  /** What a view has to show first, so that whoever was acknowledged something finds it listed. */
  readonly upTo: () => bigint
  readonly follower: Pick<Follower, 'position' | 'pos' | 'until'>
  /** Who is online, or in their grace, by `<org>.<id>`; the list `online <org>` has those of one organisation. */
  readonly online: LiveModel<OnlineRow>
  readonly profiles: ProfileCache
  readonly outlet: Outlet
  /** Opens the subscriptions of one topic. */
  readonly subscriptionsTo: (topic: Topic) => Subscriptions
  /** Of presence, and of whatever else a person does with a connection: under names that are no person's. */
  readonly leases: Pick<Leases, 'hold' | 'release' | 'count'>
  readonly streams: Pick<EventStreams, 'open' | 'countOf'>
  /** Tells again what these tell. */
  readonly catchUp: (pasts: readonly Past[]) => CatchUp
  readonly files: FileStore
  readonly hubs: Hubs
  readonly passwords: Passwords
  /** Those who come for the first time without an account, by kind and address. */
  readonly newPeople: Limit
  readonly authenticator: Authenticator
  readonly organisations: Organisations
  readonly onError: (error: unknown, where: string) => void
}
