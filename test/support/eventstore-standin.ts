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
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { batchAppend, type Node } from './eventstore-standin-append.ts'
import { softDelete, tombstone } from './eventstore-standin-delete.ts'
import { type Behaviour, behaviour, gate } from './eventstore-standin-faults.ts'
import { type ReadCall, read } from './eventstore-standin-read.ts'
import { guarded } from './eventstore-standin-rights.ts'
import { type Backup, type Raw, type StandinStore, standinStore } from './eventstore-standin-store.ts'
import type { Certificate } from './eventstore-standin-tls.ts'

/*
 * Where the stand-in is not what real servers were (section 6 of the notes on EventStoreDB):
 *
 * - Appends are taken by BatchAppend alone: the unary call is refused, so that nobody uses it unseen (6.2).
 * - Gossip says of every member that it lives; rights are those to `$all` alone (6.4).
 * - Without quorum the leader stays: what it took is lost or kept when the test says so (6.5).
 * - Metadata is not checked, its rights mean nothing. Links are never resolved (6.6).
 * - No `MaxAppendEventSize`; a scavenge takes everything at once, also of the chunk in use (6.7).
 * - No subscriptions to one stream, no persistent ones, no projections.
 */

/**
 * A server that speaks the part of EventStoreDB's protocol that our adapter (and, to show why not, its client) uses, in
 * memory. No durability beyond `restart`: for tests. Serves any number of clients, of this process and others. Of
 * rights it knows passwords and who may read `$all`; ACLs of other streams it does not know.
 */
export interface EventStoreStandin {
  readonly port: number
  /** `esdb://127.0.0.1:<port>?tls=false`, or with TLS `…?tlsCAFile=<file>`; names no user. */
  readonly url: string
  readonly store: StandinStore
  /** May be changed at any time. */
  readonly behaviour: Behaviour
  /**
   * Calls so far, by name: append (each one of a batch counts), batchCall, read, `read <stream>`,
   * subscribe, features, gossip; to subscriptions: sent (events), checkpoint.
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
  /** Default: without TLS. */
  readonly tls?: Certificate
}

/** Listens on 127.0.0.1 when it resolves. Rejects when the port is taken. End it with `kill()`. */
export async function startEventStore({
  port = 0,
  store = standinStore(),
  behaviour: over,
  members,
  tls,
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
  let server = await listening(services, port, tls)
  const bound = server.port

  return {
    port: bound,
    url: `esdb://127.0.0.1:${bound}?${tls === undefined ? 'tls=false' : `tlsCAFile=${encodeURIComponent(tls.caFile)}`}`,
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
      server = await listening(services, bound, tls)
    },
    async restore(backup) {
      server.grpc.forceShutdown()
      node.gate.open()
      store.putBack(backup)
      server = await listening(services, bound, tls)
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

async function listening(
  services: Services,
  port: number,
  tls: Certificate | undefined,
): Promise<{ readonly grpc: Server; readonly port: number }> {
  const grpc = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 })
  for (const [definition, implementation] of services) grpc.addService(definition, implementation)
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.chain }])
  const bound = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync(`127.0.0.1:${port}`, credentials, (error, actual) => (error ? reject(error) : resolve(actual)))
  })
  return { grpc, port: bound }
}

function servicesOf(node: Node, subscriptions: Set<ReadCall>, members: () => readonly number[]): Services {
  const streams = {
    append: (_call: unknown, answer: (error: object) => void) =>
      answer({ code: status.UNIMPLEMENTED, details: 'the adapter appends by BatchAppend alone' }),
    batchAppend: batchAppend.bind(null, node),
    read(call: ReadCall) {
      if (call.request.getOptions()?.hasSubscription()) {
        subscriptions.add(call)
        for (const event of ['close', 'cancelled', 'error']) call.once(event, () => subscriptions.delete(call))
      }
      read(node, call).catch((error: unknown) => call.emit('error', { code: status.UNKNOWN, details: String(error) }))
    },
    delete: softDelete.bind(null, node),
    tombstone: tombstone.bind(null, node),
  }
  const features = {
    getSupportedMethods(_call: unknown, answer: sendUnaryData<featuresPb.SupportedMethods>) {
      node.count('features')
      answer(null, supportedMethods())
    },
  }
  const gossip = {
    async read(_call: unknown, answer: sendUnaryData<gossipPb.ClusterInfo>) {
      node.count('gossip')
      await node.gate.passed()
      answer(null, clusterInfo(members()))
    },
  }
  const { behaviour: rules } = node
  return [
    [streamsServices.StreamsService, guarded(rules, streams)],
    [featuresServices.ServerFeaturesService, guarded(rules, features, true)],
    [gossipServices.GossipService, guarded(rules, gossip, true)],
  ]
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
