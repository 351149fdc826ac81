import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kinds } from '../machines/catalogue.ts'
import { personIn } from '../machines/stream.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { openCatchUp } from './delivery/catch-up.ts'
import { type Contract, type DemoLogin, type Node, namespacesOf } from './delivery/contract.ts'
import { openFollower } from './delivery/follower.ts'
import { keptStreams } from './delivery/kept-streams.ts'
import { mayBeHeld } from './delivery/known-cursor.ts'
import { listeners } from './delivery/listeners.ts'
import { onlineModel } from './delivery/online-model.ts'
import type { Past } from './delivery/past.ts'
import { ProfileCache } from './delivery/profile-cache.ts'
import { seedModels } from './delivery/seed.ts'
import { allowedOrigins } from './gateway/allowed-origins.ts'
import { tokenBuckets } from './gateway/auth/limits.ts'
import { openPasswords } from './gateway/auth/passwords.ts'
import type { Entrance } from './gateway/http/entrance.ts'
import { eventStreams, withStreams } from './gateway/http/event-streams.ts'
import { cursorSockets } from './gateway/sockets/cursor-sockets.ts'
import { hangUp } from './gateway/sockets/hang-up.ts'
import { socketOutlet } from './gateway/sockets/outlet.ts'
import { receipts } from './gateway/sockets/receipts.ts'
import { openSockets } from './gateway/sockets/sockets.ts'
import { subscriptionsTo } from './gateway/sockets/subscriptions.ts'
import type { StreamDamaged } from './log/damaged.ts'
import type { AnotherPast, Log, Recorded } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import { openMetrics } from './observe/metrics.ts'
import { strangersTold } from './observe/strangers-told.ts'
import { viewsReady } from './observe/views-ready.ts'
import { viewsTold } from './observe/views-told.ts'
import { openHubs } from './presence/hubs.ts'
import { openEntities } from './runtime/entities.ts'
import { snapshotFiles } from './runtime/snapshot-files.ts'
import { keepsWhoIsHere, serveClients } from './serve-clients.ts'
import { connectionParts } from './serve-connections.ts'
import { openDoor } from './serve-door.ts'
import { serveHttp } from './serve-http.ts'
import { errorsOf, type RunPast } from './serve-past.ts'
import { presenceParts } from './serve-presence.ts'
import { openFiles, openViews, viewsOf } from './storage.ts'
import { tellMixpanel } from './tell-mixpanel.ts'
import { runViews, type ViewRunner } from './views/runner.ts'
import { within } from './within.ts'

/** How long clients and requests get to take what was written to them when the server stops. */
const HANG_UP_MS = 3_000

/** What is served: the contracts, and the kinds of entities that they are made of. */
export interface ServeWhat {
  readonly contracts: readonly Contract[]
  readonly kinds: Kinds
}

export interface Running {
  /** As clients reach it: `http://host:port`. */
  readonly url: string
  /** Log-ins of the demo organisation, only after the very first start. */
  readonly demo: readonly DemoLogin[]
  /** To be told of what failed outside of all that is awaited; it is logged and counted. */
  failed(error: unknown, where: string): void
  /** Takes no new connections, answers what is in hand, flushes, and resolves. */
  stop(): Promise<void>
}

/** What outlives the node: the caller opens and closes it. */
interface ServeOn {
  readonly log: Log
  readonly past: RunPast
  /** Listens already; closed with the node. */
  readonly entrance: Entrance
  /** Says once what is damaged. */
  readonly onDamaged: (damage: StreamDamaged) => void
}

/** Starts one node. Rejects with a sentence for people when something that it needs is missing or taken. */
export async function serve(
  config: Config,
  logger: Logger,
  { contracts, kinds }: ServeWhat,
  { log, past, entrance, onDamaged }: ServeOn,
): Promise<Running> {
  const clock = systemClock
  const metrics = openMetrics()
  const onError = errorsOf(logger, metrics, past, onDamaged)
  const strangers = strangersTold(logger)
  const failedIn = (where: string) => (error: unknown) => onError(error, where)

  // What is stored, and the entities on it.
  await mkdir(config.dataDirectory, { recursive: true })
  const connections = await connectionParts({ config, clock, log, onError: failedIn('presence') })
  const snapshots = snapshotFiles(join(config.dataDirectory, 'snapshots'))
  const shared = config.eventStoreUrl !== null
  const entities = openEntities({
    ...{ kinds, log, snapshots, shared, now: clock.now, idleMs: config.roomIdleMs },
    ...{ appended: metrics.appended, onDamaged, onLostEvents: past.doubt },
  })
  let runner: ViewRunner | undefined
  const readViews: Node['views'] = {
    get: (view, keys) => running(runner).get(view, keys),
    scan: (view, options) => running(runner).scan(view, options),
    reached: (view, position, waitMs) => running(runner).reached(view, position, waitMs),
  }
  const { keys, auth, organisations } = await openDoor({
    ...{ config, clock, logger, entities, views: readViews, strangers, onError: failedIn('organisations') },
  })
  const passwords = await openPasswords()
  const demo: DemoLogin[] = []
  for (const { seed } of contracts) demo.push(...((await seed?.({ log, entities, passwords, now: clock.now })) ?? []))
  const store = await openViews(config, viewsTold(logger, metrics))

  // What machinery offers to contracts, and the contracts on this node.
  const { http, url } = entrance
  const origins = allowedOrigins({ listed: config.allowedOrigins, onRefused: strangers.origin })
  const { io, handshake, frames } = openSockets({
    ...{ ...entrance, auth, origins, allowEio3: config.allowEio3 },
    ...{ perPerson: config.ratePerPerson, perAddress: config.ratePerAddress },
    namespaces: namespacesOf(contracts),
    onCutOff(flooder) {
      metrics.flooderCutOff()
      logger.warn(flooder, 'a client that floods was disconnected')
    },
  })
  const pos = (): string => follower.pos()
  const cursors = cursorSockets(pos)
  const told = receipts({
    store: connections.receipts,
    clock,
    pos,
    cameAt(person) {
      const row = online.get(person)
      return row && BigInt(row.cameAt)
    },
    isKnown: (cursor) => mayBeHeld(log, cursor),
  })
  const sockets = socketOutlet({
    ...{ io, cursorSockets: cursors, receipts: told, pushed: metrics.pushed },
    namespaces: namespacesOf(contracts),
  })
  const streams = eventStreams({
    ...{ leases: connections.leases, clock, pushed: metrics.pushed },
    follower: { position: () => follower.position(), pos },
    onError: failedIn('streams'),
  })
  const outlet = withStreams(sockets, streams)
  const kept = keptStreams(log)
  const catchUpOf = (pasts: readonly Past[]) => openCatchUp({ log, kept, pasts, onError: failedIn('catch-up') })
  const files = await openFiles(config, failedIn('files'))
  const online = onlineModel(log)
  const profiles = new ProfileCache(log)
  const changed = (error: AnotherPast): void => {
    entities.forget()
    past.changed(error)
  }
  const follower = openFollower({
    ...{ log, outlet, profiles, clock, onError: failedIn('follower') },
    ...{ trail: past.trail, onAnotherPast: changed },
  })
  const upTo = (): bigint =>
    entities.lastPosition() > follower.position() ? entities.lastPosition() : follower.position()
  const { leases, liveness } = connections
  const hubs = openHubs({ leases, liveness, clock, onError: failedIn('presence') })
  const newPeople = tokenBuckets(config.newPeoplePerAddress)
  const node: Node = {
    config,
    clock,
    log,
    entities,
    views: readViews,
    upTo,
    follower,
    online,
    profiles,
    outlet,
    subscriptionsTo: (topic) =>
      subscriptionsTo(topic, { entities, follower, log, now: clock.now, onError: failedIn('subscriptions') }),
    leases,
    streams,
    catchUp: catchUpOf,
    files,
    hubs,
    passwords,
    newPeople,
    authenticator: auth,
    organisations,
    onError,
  }
  const served = contracts.map((contract) => contract.open(node))
  const policies = served.flatMap((one) => one.policies ?? [])
  const subscriptions = served.flatMap((one) => one.subscriptions ?? [])
  const feeds = served.flatMap((one) => one.feeds ?? [])
  const presence = await presenceParts({ config, clock, connections, entities, online, onError })

  // Following the log.
  const models = [online, ...new Set(feeds.map(({ model }) => model))].filter(
    (model, i, all) => model !== profiles && all.indexOf(model) === i,
  )
  const tellListeners = listeners(
    [keepsWhoIsHere(profiles, connections.receipts), presence.listener, ...subscriptions, ...policies],
    failedIn('follower'),
  )
  const onEvent = (recorded: Recorded): void => {
    kept.onEvent(recorded)
    try {
      // First: what is asked because of an event is decided on the state after it.
      if (shared) entities.onEvent(recorded)
    } catch (error) {
      onError(error, 'follower')
    }
    metrics.heard(recorded.at, clock.now())
    tellListeners(recorded)
  }
  await follower.start({
    models,
    feeds,
    from: await seedModels(models, store, log, {
      onAway: (error) =>
        logger.warn({ err: error }, 'the views do not answer; starting from the log alone, which takes longer'),
      onError: failedIn('follower'),
    }),
    *online() {
      for (const [person] of online.entries()) yield personIn(person)
    },
    onEvent,
  })
  entities.listen(follower.position)
  // Not before: views that have to be made anew would keep the models, and with them the first ack, waiting.
  const views = runViews({
    ...{ log, store, projections: viewsOf(contracts) },
    onAlarm(alarm) {
      if (alarm.kind === 'another-past' && alarm.table === null) changed(alarm.error)
      else onError(alarm.kind === 'another-past' ? alarm.error : alarm, 'views')
    },
  })
  runner = views
  for (const policy of policies) await policy.catchUp?.()
  await presence.tracker.start()
  connections.receipts.keepOnly((person) => online.get(person) !== undefined)
  connections.beat() // not before: a start that fails must not hide when the process before it died
  for (const policy of policies) await policy.start?.()

  // One bucket for each, whatever they ask through.
  const [perPerson, perAddress] = [tokenBuckets(config.ratePerPerson), tokenBuckets(config.ratePerAddress)]
  const clients = serveClients({
    ...{ config, strangers, clock, logger, metrics, log, entities, profiles, online, follower, hubs, auth, onError },
    ...{ io, handshake, frames, connections, presence, contracts, served, cursorSockets: cursors, receipts: told },
    ...{ perPerson, perAddress, waiting: entrance.waiting, catchUpOf },
    newPeople: tokenBuckets(config.newParticipantsPerAddress),
  })
  metrics.watch({
    sockets: () => io.engine.clientsCount,
    roomsAwake: entities.awake,
    profiles: () => profiles.size,
    pushedPosition: follower.position,
    views: views.status,
    logDiffersFrom: past.differsFrom,
    keys: keys.kind === 'provider' ? keys.provider.health : undefined,
  })
  entrance.watch(() => ({ following: follower.ended() ?? true, views: viewsReady(views.status()) }))
  const mixpanel = await tellMixpanel({
    ...{ config, log, clock, logger, metrics: metrics.analytics, onError: failedIn('mixpanel') },
  })
  serveHttp({
    ...{ config, clock, logger, metrics, log, entities, follower, auth, perPerson, perAddress, entrance, origins },
    ...{ contracts, served, catchUp: clients.catchUp },
  })

  return {
    url,
    demo,
    failed: onError,
    async stop() {
      entrance.leave()
      const closed = new Promise((resolve) => http.close(resolve)) // no new connections from here on
      await clients.drain()
      await presence.tracker.stop()
      await presence.keys.close()
      clients.stop()
      streams.end()
      if (keys.kind === 'provider') keys.provider.stop()
      await Promise.all([hangUp(io, namespacesOf(contracts), HANG_UP_MS), within(HANG_UP_MS, closed)])
      http.closeAllConnections()
      await within(HANG_UP_MS, io.close()) // also those who had not said yet who they are
      await follower.stop() // nothing starts from here on that a contract has stopped
      await Promise.all(served.map((one) => one.stop?.()))
      await Promise.all([entities.stop(), mixpanel.stop()])
      await views.stop()
      await Promise.all([store.close(), connections.stop(), snapshots.close()])
      metrics.stop()
    },
  }
}

function running(runner: ViewRunner | undefined): ViewRunner {
  if (!runner) throw new Error('views are read before the node follows the log')
  return runner
}
