import { EventStoreDBClient } from '@eventstore/db-client'
import gossipServices from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import type services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import {
  type CallOptions,
  type ChannelInterface as Channel,
  type ChannelCredentials,
  type ChannelOptions,
  credentials,
  Channel as GrpcChannel,
  Metadata,
} from '@grpc/grpc-js'
import { systemClock } from '../clock.ts'
import { within } from '../within.ts'
import { type Address, type Target, targetOf } from './eventstore-address.ts'
import { allowAddresses } from './eventstore-tls.ts'

/** One configured server or cluster, and the client that talks to it now. */
export interface Connection {
  readonly target: Target
  /** Where the client went last: to the member that a cluster's gossip named, or else to what is configured. */
  addresses(): readonly Address[]
  client(): EventStoreDBClient
  /** Gives up `broken` for a new client; harmless when another call has done so already. */
  rebuild(broken: EventStoreDBClient): void
  /** Aborted when this client is given up: nothing more is to be expected of it. */
  givenUp(client: EventStoreDBClient): AbortSignal
  /** Ends all streams and channels. */
  close(): Promise<void>
}

interface Channels {
  /** With the client that each is of. */
  readonly open: Map<Channel, EventStoreDBClient>
  /** Also when it is closed: an error closes it, and then somebody asks where it led. Null = none was found. */
  last: Channel | null
}

/**
 * Private members of `EventStoreDBClient` 6.2.1 (frozen upstream: it was the last release). All are own, writable
 * properties.
 */
interface Internals {
  supports(method: { readonly path: string }, feature?: string): Promise<boolean>
  /** The stubs on the channel of now; new ones when the channel was given up. */
  getGRPCClient(kind: typeof services.StreamsClient, name: string): Promise<StreamsClient>
  /** What every call carries: the name of the connection, and who we are. */
  callArguments(options: Record<never, never>, call: CallOptions): [Metadata, CallOptions]
  handleError(client: unknown, error: Error): Promise<void>
  createChannel(): Promise<Channel>
  /** gRPC streams that have not ended, those of subscriptions that were destroyed among them. */
  readonly disposableStreams: ReadonlySet<{ resume?(): void }>
}

export type StreamsClient = services.StreamsClient

// The fields are private in the declarations only; `Internals` states what 6.2.1 has at run time.
export const internalsOf = (client: EventStoreDBClient): Internals => client as unknown as Internals

/** How long the client may take to end its streams. */
const DISPOSE_MS = 2_000

/** Longer than any call on a client that was given up is waited for. */
const LAST_CALLS_MS = 30_000

/** A member that has not answered by then is looked past. */
const ANSWERS_MS = 2_000

/** grpc-js `connectivityState.SHUTDOWN`. */
const SHUTDOWN = 4

/**
 * Connects lazily: nothing is sent before the first call, so that a server which is down does not keep us from
 * starting. Throws when `url` is no usable connection string, without repeating it (it may hold a password).
 */
export function connection(url: string): Connection {
  const target = targetOf(url)
  if (target.tls !== null) allowAddresses()
  const channels: Channels = { open: new Map(), last: null }
  const ends = new WeakMap<EventStoreDBClient, AbortController>()
  const endOf = (client: EventStoreDBClient): AbortController => {
    const end = ends.get(client) ?? new AbortController()
    ends.set(client, end)
    return end
  }
  const isCluster = /^esdb\+discover:|^[^?]*,/.test(target.url)
  const connect = () => remedied(parsed(target.url), channels, isCluster)
  let current = connect()
  const end = (channel: Channel): void => {
    channels.open.delete(channel)
    channel.close()
  }

  return {
    target,
    addresses() {
      const [, host, port] = /([^:/]+):(\d+)$/.exec(channels.last?.getTarget() ?? '') ?? []
      return host === undefined ? target.hosts : [{ host, port: Number(port) }]
    },
    client: () => current,
    rebuild(broken) {
      if (broken !== current) return
      current = connect()
      endOf(broken).abort()
      // Not disposed, nor closed at once: what still runs on it ends by itself, and a subscription that is disposed of
      // ends without a word.
      setTimeout(() => {
        for (const [channel, its] of channels.open) if (its === broken) end(channel)
      }, LAST_CALLS_MS).unref()
    },
    givenUp: (client) => endOf(client).signal,
    async close() {
      // The client waits for the end of every stream. One that lost its reader in the middle of events never comes to
      // its end, unless what is left in it flows away.
      const { disposableStreams } = internalsOf(current)
      for (const stream of disposableStreams) stream.resume?.()
      // Nor for ever: closing the channels ends whatever is left.
      await within(DISPOSE_MS, current.dispose())
      for (const channel of channels.open.keys()) end(channel)
    },
  }
}

function parsed(url: string): EventStoreDBClient {
  try {
    if (/^esdb(\+discover)?:\/\/[^/?]/.test(url)) return EventStoreDBClient.connectionString(url)
  } catch {
    // The client's own message repeats the string, password included.
  }
  throw new Error(
    'EVENTSTORE_URL must look like esdb://[user:password@]host:port[,host:port][?tls=true|false&…], ' +
      'esdb+discover://… or kurrentdb://…, ' +
      'with : and @ in the password percent-encoded; got something else (not repeated here, it may hold a password)',
  )
}

function remedied(client: EventStoreDBClient, channels: Channels, isCluster: boolean): EventStoreDBClient {
  const internals = internalsOf(client)
  const { handleError, createChannel } = internals

  // Its own BatchAppend kills the process when one of two streams dies, remembers a failed start for ever, and compares
  // our clock with the server's. Nothing here asks for it (see eventstore-append.ts); this keeps it so, and no
  // capability call is made.
  internals.supports = async () => false

  // Called without await: when the next channel cannot be made either (discovery), its rejection would end the process.
  // The error itself is reported to the caller by the failing call.
  internals.handleError = (grpc, error) => handleError(grpc, error).catch(() => {})

  // The client closes channels on error but not on dispose.
  internals.createChannel = async () => {
    channels.last = null
    const channel = withItsOwnConnection(await createChannel())
    for (const old of channels.open.keys()) if (old.getConnectivityState(false) === SHUTDOWN) channels.open.delete(old)
    channels.open.set(channel, client)
    channels.last = channel
    if (!isCluster || (await answers(channel))) return channel
    channel.close()
    throw new Error('Failed to discover a member that answers.') // sorted as the client's own
  }
  return client
}

/**
 * The same channel on another connection. By default grpc-js gives all channels to one address the connection that the
 * first one has, also when nobody has answered on it for long.
 */
function withItsOwnConnection(channel: Channel): Channel {
  const target = channel.getTarget()
  // The fields are private in the declarations only.
  const { internalChannel } = channel as unknown as ChannelInternals
  const { credentials: its, options } = internalChannel
  channel.close() // it has not connected: nobody has called
  // What the environment says of proxies is in target and options already.
  return new GrpcChannel(target, its, {
    ...options,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  })
}

/** Of grpc-js 1.14. `test/faults/log-faults.test.ts` shows that it is there. */
interface ChannelInternals {
  readonly internalChannel: { readonly credentials: ChannelCredentials; readonly options: ChannelOptions }
}

/**
 * For some seconds gossip names a leader that is frozen or gone: whoever is told of a member sees whether it answers.
 */
function answers(channel: Channel): Promise<boolean> {
  const gossip = new gossipServices.GossipClient('', credentials.createInsecure(), { channelOverride: channel })
  const deadline = systemClock.now() + ANSWERS_MS
  return new Promise((resolve) => {
    gossip.read(new sharedPb.Empty(), new Metadata(), { deadline }, (error) => resolve(error === null))
  })
}
