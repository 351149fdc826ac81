import { mkdir } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Refusal, unreachable } from '../machines/kernel.ts'
import type { PersonEvent } from '../machines/person/events.ts'
import type { PresenceEvent } from '../machines/presence/events.ts'
import { PRESENCE_STREAM } from '../projections/online.ts'
import { PERSON_STREAM } from '../projections/people.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { type DemoLogin, openDemo } from './contracts/accounts/demo.ts'
import { authRoutes } from './contracts/accounts/http-login.ts'
import { userRoutes } from './contracts/accounts/http-users.ts'
import { peopleList } from './contracts/accounts/list.ts'
import { attendanceParts } from './contracts/attendance/parts.ts'
import { lessonParts } from './contracts/lessons/parts.ts'
import { presenceRoutes } from './contracts/presence/http.ts'
import { abandonedChats } from './contracts/support-chat/abandoned-chats.ts'
import { chatRoutes } from './contracts/support-chat/http.ts'
import { chatList } from './contracts/support-chat/list.ts'
import { replays as openReplays } from './contracts/support-chat/replays.ts'
import { visitorChats as openVisitorChats } from './contracts/support-chat/visitor-chats.ts'
import { type Follower, openFollower } from './delivery/follower.ts'
import { seedDesk } from './delivery/seed.ts'
import { authenticator } from './gateway/auth/authenticator.ts'
import { openKeys } from './gateway/auth/keys.ts'
import { failureLimit, tokenBuckets } from './gateway/auth/limits.ts'
import { openPasswords } from './gateway/auth/passwords.ts'
import { httpApp } from './gateway/http/app.ts'
import { listen } from './gateway/http/listen.ts'
import { connectionParts } from './gateway/sockets/connection-parts.ts'
import { connectionRegistry as openWhereabouts } from './gateway/sockets/connection-registry.ts'
import { hangUp, within } from './gateway/sockets/hang-up.ts'
import { openInbound as openEmits } from './gateway/sockets/inbound.ts'
import { socketOutlet } from './gateway/sockets/outlet.ts'
import { watchSlowReaders } from './gateway/sockets/slow-readers.ts'
import { openSockets, serveSockets } from './gateway/sockets/sockets.ts'
import type { Recorded } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import { openMetrics } from './observe/metrics.ts'
import { type AliveKeys, noAliveKeys } from './presence/alive-keys.ts'
import { openHubs } from './presence/hubs.ts'
import { openRedisAliveKeys } from './presence/redis-alive-keys.ts'
import { type PresenceTracker, presenceTracker, type RecordedPresence } from './presence/tracker.ts'
import { openEntities } from './runtime/entities.ts'
import { snapshotFiles } from './runtime/snapshot-files.ts'
import { openLog, openViews, PROJECTIONS } from './storage.ts'
import { tellMixpanel } from './tell-mixpanel.ts'
import { runViews } from './views/runner.ts'
import { ViewsUnavailable } from './views/store.ts'

/** How long clients and requests get to take what was written to them when the server stops. */
const HANG_UP_MS = 3_000

export interface Running {
  /** As clients reach it: `http://host:port`. */
  readonly url: string
  /** Log-ins of the demo organisation, only after the very first start. */
  readonly demo: readonly DemoLogin[]
  /** Takes no new connections, answers what is in hand, flushes, and resolves. */
  stop(): Promise<void>
}

/** Starts one node. Rejects with a sentence for people when something that it needs is missing or taken. */
export async function serve(config: Config, logger: Logger): Promise<Running> {
  const clock = systemClock
  const metrics = openMetrics()
  const failed = (error: unknown, where: string): void => {
    metrics.failed(where)
    logger.error({ err: error, where }, 'unexpected')
  }

  // What is stored, and the rooms on it.
  await mkdir(config.dataDirectory, { recursive: true })
  const log = await openLog(config, {
    onFatal(error) {
      logger.fatal(
        { err: error },
        'the log cannot be written: nothing may be acknowledged any more, so this process ends',
      )
      process.exit(70) // EX_SOFTWARE of sysexits.h
    },
    onTrouble: (doing, error) => logger.warn({ err: error, doing }, 'the log did not answer; asking again'),
  })
  const connections = await connectionParts({ config, clock, log, onError: (error) => failed(error, 'presence') })
  const { leases, liveness, lastSeen, diedAt } = connections
  const keys = await openKeys(config.keys)
  const auth = authenticator({ keys, issuer: config.jwtIssuer, audience: config.jwtAudience, now: clock.now })
  const snapshots = snapshotFiles(join(config.dataDirectory, 'snapshots'))
  const shared = config.eventStoreUrl !== null
  const entities = openEntities({
    log,
    snapshots,
    shared,
    now: clock.now,
    idleMs: config.roomIdleMs,
    appended: metrics.appended,
  })
  const passwords = await openPasswords()
  const demo = await openDemo(log, { entities, passwords, now: clock.now })
  const store = await openViews(config)

  // What follows the log for this node's clients.
  let answer: RequestListener = (_, response) => void response.writeHead(503).end()
  const http = createServer((request, response) => answer(request, response))
  const { io, handshake } = openSockets({ http, auth, allowedOrigins: config.allowedOrigins })
  const outlet = socketOutlet(io, metrics.pushed)
  const followers: ((recorded: Recorded) => void)[] = []
  const lessons = lessonParts({
    log,
    entities,
    store,
    outlet,
    clock,
    overrunMinutes: config.lessonOverrunMinutes,
    failed,
  })
  const attendance = attendanceParts({
    io,
    log,
    entities,
    store,
    outlet,
    clock,
    overrunMinutes: config.lessonOverrunMinutes,
    failed,
  })
  const follower = await openFollower({
    log,
    outlet,
    lessons: lessons.delivery,
    attendance: attendance.delivery,
    seed: (desk) =>
      seedDesk(desk, store, log)
        .then(lessons.seed)
        .then(attendance.seed)
        .catch((error: unknown) => {
          if (!(error instanceof ViewsUnavailable)) throw error
          logger.warn({ err: error }, 'the views do not answer; starting from the log alone, which takes longer')
          return null
        }),
    onEvent: (recorded) => {
      for (const follow of followers) follow(recorded)
    },
    onError: (error) => failed(error, 'fanout'),
  })
  // Not before: views that have to be made anew would keep the desk, and with it the first ack, waiting.
  const views = runViews({ log, store, projections: PROJECTIONS, onAlarm: (alarm) => failed(alarm, 'views') })
  const presence = presenceTracker({
    leases,
    others: (person, seenAt) => liveness.probe(person, null, seenAt),
    lastSeen,
    diedAt,
    clock,
    graceMs: config.disconnectGraceMs,
    ttlMs: config.leaseMs,
    async ask(person, command) {
      const answer = await entities.ask('presence', person, command)
      if (answer instanceof Refusal) throw new Error(`the presence of ${person} could not be recorded: ${answer.code}`)
      const recorded = answer.events.at(-1) as PresenceEvent | undefined // by the room's category
      if (recorded !== undefined) return stateAfter(recorded.type)
      return (await entities.state('presence', person)).state.value
    },
    *online() {
      for (const { person } of present(follower, 'online')) yield person
    },
    due: () => present(follower, 'lost'),
    onError: (error) => failed(error, 'presence'),
  })
  const aliveKeys =
    config.redisUrl === null
      ? noAliveKeys
      : await openRedisAliveKeys({
          url: config.redisUrl,
          ttlMs: config.leaseMs,
          onlyNode: connections.onlyNode,
          since: sinceOf(follower),
          onError: (error) => failed(error, 'alive-keys'),
        })
  const hubs = openHubs({ leases, liveness, now: clock.now, onError: (error) => failed(error, 'presence') })
  const abandoned = abandonedChats({
    desk: follower.desk,
    entities,
    now: clock.now,
    onError: (error) => failed(error, 'abandoned-chats'),
  })
  const lessonPolicies = lessons.policies(follower.desk)
  followers.push(
    ...(shared ? [entities.onEvent] : []), // first: what is asked because of an event is decided on the state after it
    (recorded) => metrics.heard(recorded.at, clock.now()),
    (recorded) => presenceHeard(presence, aliveKeys, recorded),
    (recorded) => abandoned.onEvent(recorded),
    lessonPolicies.heard,
    attendance.overdue.onEvent,
    ({ stream, event }) => {
      if ((event as PersonEvent).type !== 'PersonDisabled') return
      const [org = '', id = ''] = stream.slice(PERSON_STREAM.length).split('.')
      outlet.disconnectUser(org, id, 'this account is disabled')
    },
  )
  // first: who was connected when this node went down was in a lesson that was due meanwhile until its end
  await lessonPolicies.start()
  await presence.start()
  connections.beat() // not before: a start that fails must not hide when the process before it died
  abandoned.start()
  await attendance.overdue.start()

  // Who may come in, and what they may ask.
  const visitorChats = openVisitorChats(entities)
  const replays = openReplays({ io, log, entities, clock, onError: failed })
  const perAddress = tokenBuckets(config.ratePerAddress)
  const lessonCalls = lessons.calls(io, follower, hubs)
  const emits = openEmits({
    entities,
    visitorChats,
    profiles: () => follower.profiles,
    perPerson: tokenBuckets(config.ratePerPerson),
    perAddress,
    now: clock.now,
    replays,
    lessonCalls,
    attendanceCalls: attendance.calls(follower),
    observe: {
      command(name, party, outcome, milliseconds) {
        metrics.command(name, outcome, milliseconds)
        if (debugging)
          logger.debug(
            { command: name, org: party.org, by: party.id, role: party.role, outcome, ms: milliseconds },
            'command',
          )
      },
      unknownEvent: () => metrics.unknownEvent(),
      failed: (error, name) => failed(error, name),
    },
  })
  const debugging = logger.isLevelEnabled('debug')
  const registry = openWhereabouts({ presence, follower, keys: aliveKeys, hubs, liveness, now: clock.now })
  serveSockets({
    io,
    handshake,
    auth,
    entities,
    follower,
    registry,
    perAddress,
    emits,
    replays,
    lessonCalls,
    clock,
    onError: failed,
  })
  const outbound = watchSlowReaders({
    io,
    clock,
    onCutOff(reader) {
      metrics.cutOff()
      logger.warn(reader, 'a client that does not read was disconnected')
    },
  })
  metrics.watch({
    sockets: () => io.engine.clientsCount,
    roomsAwake: entities.awake,
    pushedPosition: follower.position,
    views: views.status,
  })

  const mixpanel = await tellMixpanel({
    config,
    log,
    clock,
    logger,
    metrics: metrics.analytics,
    onError: (error) => failed(error, 'mixpanel'),
  })

  let draining = false
  const upTo = (): bigint =>
    entities.lastPosition() > follower.position() ? entities.lastPosition() : follower.position()
  const accountParts = { entities, passwords, now: clock.now }
  const app = httpApp({
    entities,
    now: clock.now,
    authenticator: auth,
    requests: perAddress,
    allowedOrigins: config.allowedOrigins,
    log: logger,
    ready: () => ({ accepting: !draining }),
    contracts: [
      { routes: (app) => authRoutes(app, { ...accountParts, sign: auth.sign, logins: failureLimit(10, 60) }) },
      {
        routes: (app) =>
          userRoutes(app, { ...accountParts, people: peopleList(views, upTo), opensAccounts: auth.sign !== null }),
      },
      { routes: (app) => lessons.routes(app, views, upTo, follower.desk) },
      { routes: (app) => attendance.routes(app, views, upTo) },
      { routes: (app) => chatRoutes(app, { log, entities, chats: chatList(views, upTo) }) },
      { routes: (app) => presenceRoutes(app, { follower, leases, hubs }) },
    ],
  })
  app.get('/metrics', async (c) => c.body(await metrics.page(), 200, { 'Content-Type': metrics.contentType }))
  answer = getRequestListener(app.fetch)
  const url = await listen(http, config.host, config.port)

  return {
    url,
    demo,
    async stop() {
      draining = true
      const closed = new Promise((resolve) => http.close(resolve)) // no new connections from here on
      await emits.drain()
      replays.forget()
      await presence.stop()
      await aliveKeys.close()
      outbound.stop()
      await Promise.all([hangUp(io, HANG_UP_MS), within(HANG_UP_MS, closed)])
      http.closeAllConnections()
      await within(HANG_UP_MS, io.close()) // also those who had not said yet who they are
      lessons.stop()
      attendance.stop()
      await entities.stop()
      await Promise.all([follower.stop(), mixpanel.stop()])
      await views.stop()
      await Promise.all([store.close(), connections.stop(), snapshots.close()])
      await log.close()
      metrics.stop()
    },
  }
}

/** Everybody who is recorded as online or as lost, as this node has heard. */
function* present<State extends 'online' | 'lost'>(follower: Follower, state: State) {
  for (const { org, id, row } of follower.desk.everybody()) {
    if (row.state === state) yield { person: `${org}.${id}`, until: row.state === 'lost' ? row.until : 0 }
  }
}

const sinceOf = (follower: Follower) => (person: string) => {
  const [org = '', id = ''] = person.split('.')
  return follower.desk.presence(org, id)?.since
}

function presenceHeard(presence: PresenceTracker, keys: AliveKeys, { stream, event }: Recorded): void {
  if (!stream.startsWith(PRESENCE_STREAM)) return
  const person = stream.slice(PRESENCE_STREAM.length)
  const state = stateAfter((event as PresenceEvent).type)
  presence.onEdge(person, state)
  if (state !== 'online') void keys.gone(person, state) // never rejects
}

function stateAfter(type: PresenceEvent['type']): RecordedPresence {
  switch (type) {
    case 'CameOnline':
    case 'CameBack':
      return 'online'
    case 'ConnectionLost':
      return 'lost'
    case 'WentOffline':
      return 'offline'
    default:
      return unreachable(type)
  }
}
