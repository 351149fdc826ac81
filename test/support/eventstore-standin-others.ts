import type { EventStoreStandin } from './eventstore-standin.ts'

/** A projection that copies a stream with the metadata of its events, as `emit` does. */
export function copyInto(server: EventStoreStandin, target: string, source: string): void {
  const shown = server.store.visible(source, server.behaviour.clock()) ?? []
  server.put(target, ...shown.map(({ type, json, data, meta }) => ({ type, json, data, meta })))
}

/** A projection that links to a stream, as `linkTo` and the system's own do. */
export function linkInto(server: EventStoreStandin, target: string, source: string): void {
  const shown = server.store.visible(source, server.behaviour.clock()) ?? []
  const links = shown.map(({ revision }) => ({ type: '$>', json: false, data: Buffer.from(`${revision}@${source}`) }))
  server.put(target, ...links)
}

/** What an administrator sets on a stream: `$maxCount`, `$maxAge` (seconds), `$tb`. */
export function setMetadata(server: EventStoreStandin, stream: string, metadata: object): void {
  server.put(`$$${stream}`, { type: '$metadata', data: Buffer.from(JSON.stringify(metadata)) })
}
