import gossipServices from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js'
import featuresServices from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import streamsServices from '@eventstore/db-client/generated/streams_grpc_pb.js'
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { append, batchAppend, type Node } from './eventstore-standin-append.ts'
import { type Behaviour, behaviour, gate } from './eventstore-standin-faults.ts'
import { type ReadCall, read } from './eventstore-standin-read.ts'
import { type Backup, type Raw, type StandinStore, standinStore } from './eventstore-standin-store.ts'

/**
 * A server that speaks the part of EventStoreDB's protocol that our adapter (and, to show why not, its client) uses, in
 * memory. No rights, no TLS, no durability beyond `restart`: for tests. Serves any number of clients, of this process
 * and others.
 */
export interface EventStoreStandin {
  readonly port: number
  /** `esdb://127.0.0.1:<port>?tls=false` */
  readonly url: string
  readonly store: StandinStore
  /** May be changed at any time. */
  readonly behaviour: Behaviour
  /**
   * Calls so far, by name: append, batchAppend, read, subscribe, features, gossip; to subscriptions: sent (events),
   * checkpoint.
   */
  readonly calls: Readonly<Record<string, number>>
  /** Commit positions that subscriptions began after; -1 = the start, -2 = the end. */
  readonly subscribedAfter: readonly bigint[]
  /** Crash: all connections break at once; what was written stays. */
  kill(): void
  /** Up again on the same port, with the same data. */
  restart(): Promise<void>
  /** Down, and up again on the same port with what a backup holds: an older one, or that of another server. */
  restore(backup: Backup): Promise<void>
  /** Connections stay open, nothing is answered or written until `thaw`. */
  freeze(): void
  thaw(): void
  /** Ends every subscription as a server does that finds its client too slow (ABORTED); nothing else is touched. */
  dropSubscriptions(): void
  /** Writes past the protocol, as other programs do: no checks. */
  put(stream: string, ...events: readonly Partial<Raw>[]): void
}

export interface StandinOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Share it to make several stand-ins one cluster. Default: a new, empty one. */
  readonly store?: StandinStore
  readonly behaviour?: Partial<Behaviour>
  /** Ports of the cluster, the leader first, as gossip tells them. Default: this one alone. */
  members?(): readonly number[]
}

/** Listens on 127.0.0.1 when it resolves. Rejects when the port is taken. End it with `kill()`. */
export async function startEventStore({
  port = 0,
  store = standinStore(),
  behaviour: over,
  members,
}: StandinOptions = {}): Promise<EventStoreStandin> {
  const calls: Record<string, number> = {}
  const subscriptions = new Set<ReadCall>()
  const node: Node = {
    store,
    behaviour: behaviour(over),
    gate: gate(),
    subscribedAfter: [],
    count(call) {
      calls[call] = (calls[call] ?? 0) + 1
    },
  }
  const services = servicesOf(node, subscriptions, () => members?.() ?? [bound])
  let server = await listening(services, port)
  const bound = server.port

  return {
    port: bound,
    url: `esdb://127.0.0.1:${bound}?tls=false`,
    store,
    behaviour: node.behaviour,
    calls,
    subscribedAfter: node.subscribedAfter,
    kill() {
      server.grpc.forceShutdown()
      node.gate.open()
    },
    async restart() {
      server.grpc.forceShutdown()
      node.gate.open()
      server = await listening(services, bound)
    },
    async restore(backup) {
      server.grpc.forceShutdown()
      node.gate.open()
      store.putBack(backup)
      server = await listening(services, bound)
    },
    freeze: () => node.gate.shut(),
    thaw: () => node.gate.open(),
    dropSubscriptions() {
      for (const call of subscriptions)
        call.emit('error', { code: status.ABORTED, details: 'Operation timed out: Consumer too slow.' })
    },
    put(stream, ...events) {
      const empty = { json: true, type: 'Foreign', data: Buffer.from('{}'), meta: new Uint8Array() }
      const raws = events.map((event) => ({ id: crypto.randomUUID(), ...empty, ...event }))
      store.append(stream, { kind: 'any' }, raws, node.behaviour.clock())
    },
  }
}

type Services = readonly (readonly [ServiceDefinition, UntypedServiceImplementation])[]

async function listening(services: Services, port: number): Promise<{ readonly grpc: Server; readonly port: number }> {
  const grpc = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 })
  for (const [definition, implementation] of services) grpc.addService(definition, implementation)
  const bound = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error ? reject(error) : resolve(actual),
    )
  })
  return { grpc, port: bound }
}

function servicesOf(node: Node, subscriptions: Set<ReadCall>, members: () => readonly number[]): Services {
  const streams = {
    append: append.bind(null, node),
    batchAppend: batchAppend.bind(null, node),
    read(call: ReadCall) {
      if (call.request.getOptions()?.hasSubscription()) {
        subscriptions.add(call)
        for (const event of ['close', 'cancelled', 'error']) call.once(event, () => subscriptions.delete(call))
      }
      read(node, call).catch((error: unknown) => call.emit('error', { code: status.UNKNOWN, details: String(error) }))
    },
    delete: unimplemented,
    tombstone: unimplemented,
  }
  const features = {
    getSupportedMethods(_call: unknown, answer: sendUnaryData<featuresPb.SupportedMethods>) {
      node.count('features')
      answer(null, supportedMethods())
    },
  }
  const gossip = {
    read(_call: unknown, answer: sendUnaryData<gossipPb.ClusterInfo>) {
      node.count('gossip')
      answer(null, clusterInfo(members()))
    },
  }
  return [
    [streamsServices.StreamsService, streams],
    [featuresServices.ServerFeaturesService, features],
    [gossipServices.GossipService, gossip],
  ]
}

function unimplemented(_call: unknown, answer: (error: Partial<ServiceError>) => void): void {
  answer({ code: status.UNIMPLEMENTED, details: 'the stand-in cannot do this' })
}

function supportedMethods(): featuresPb.SupportedMethods {
  const supported = new featuresPb.SupportedMethods()
  supported.setEventStoreServerVersion('23.10.6')
  for (const name of ['read', 'append', 'batchappend']) {
    const method = new featuresPb.SupportedMethod()
    method.setServiceName('event_store.client.streams.streams')
    method.setMethodName(name)
    supported.addMethods(method)
  }
  return supported
}

function clusterInfo(ports: readonly number[]): gossipPb.ClusterInfo {
  const info = new gossipPb.ClusterInfo()
  for (const [index, port] of ports.entries()) {
    const id = new sharedPb.UUID()
    id.setString(crypto.randomUUID())
    const endPoint = new gossipPb.EndPoint()
    endPoint.setAddress('127.0.0.1')
    endPoint.setPort(port)
    const member = new gossipPb.MemberInfo()
    member.setInstanceId(id)
    member.setState(index === 0 ? gossipPb.MemberInfo.VNodeState.LEADER : gossipPb.MemberInfo.VNodeState.FOLLOWER)
    member.setIsAlive(true)
    member.setHttpEndPoint(endPoint)
    info.addMembers(member)
  }
  return info
}
