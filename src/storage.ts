import { join } from 'node:path'
import { type Kinds, schemasOf } from '../machines/catalogue.ts'
import { categoryIn } from '../machines/stream.ts'
import type { Projection } from '../projections/projection.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { Contract } from './delivery/contract.ts'
import { openDirectoryFiles } from './files/directory.ts'
import type { FileStore } from './files/file-store.ts'
import { toldFiles } from './files/told-files.ts'
import { codec } from './log/codec.ts'
import { openEmbeddedLog } from './log/embedded.ts'
import type { Health } from './log/eventstore-watch.ts'
import type { Log } from './log/log.ts'
import type { LogNotes } from './log/log-notes.ts'
import { shareFollowing } from './log/shared-following.ts'
import { openEmbeddedViews } from './views/embedded.ts'
import { keptViews, type ViewsTold } from './views/kept-views.ts'
import type { ViewStore } from './views/store.ts'

// Whoever is not asked for is not loaded: the libraries of other stores take a third of the time of a start.

/** All views of an installation that serves these contracts, by name. */
export const viewsOf = (contracts: readonly Contract[]): readonly Projection[] =>
  [...new Set(contracts.flatMap(({ views }) => views))].sort((a, b) => (a.name < b.name ? -1 : 1))

export interface LogHooks {
  /** The embedded log could not be written: the process must not acknowledge anything any more. */
  readonly onFatal: (error: unknown) => void
  /** EventStoreDB did not answer; it is asked again. */
  readonly onTrouble: (doing: string, error: unknown) => void
  /** Set: EventStoreDB is waited for without end, unless waiting does not help. */
  readonly health?: Health
  /** The disk under the embedded log is full: nothing can be recorded until null is told, and all can be read. */
  readonly onFull?: (reason: string | null) => void
  /** Told of damage in the files of the embedded log, and of what was done about it. */
  readonly notes?: LogNotes
  /** For the command line, which may look on while a server writes. */
  readonly readOnly?: boolean
}

/** The log that the configuration names, of entities of these kinds. */
export async function openLog(
  config: Config,
  kinds: Kinds,
  { onFatal, onTrouble, health, onFull, notes, readOnly = false }: LogHooks,
): Promise<Log> {
  const schemas = codec(schemasOf(kinds))
  if (config.eventStoreUrl !== null) {
    const { openEventStoreLog } = await import('./log/eventstore.ts')
    const ours = (stream: string): boolean => Object.hasOwn(kinds, categoryIn(stream))
    const watched = health && { health }
    const log = await openEventStoreLog({ url: config.eventStoreUrl, codec: schemas, ours, onTrouble, ...watched })
    return readOnly ? log : shareFollowing(log)
  }
  const told = { onFatal, ...(onFull && { onFull }), ...(notes && { notes }) }
  return openEmbeddedLog({ path: logDirectory(config), codec: schemas, now: systemClock.now, readOnly, ...told })
}

/** Where the embedded log lies. */
export const logDirectory = ({ dataDirectory }: Pick<Config, 'dataDirectory'>): string => join(dataDirectory, 'log')

/** The files that the configuration names. */
export async function openFiles({ files }: Config, onError: (error: Error) => void): Promise<FileStore> {
  if (files.kind === 'directory') return toldFiles(await openDirectoryFiles(files.path), files.path, onError)
  const { openS3Files } = await import('./files/s3.ts')
  return toldFiles(await openS3Files(files), `s3://${files.bucket}`, onError)
}

/** The views that the configuration names; with `told`, of a node that serves: it makes them again when damaged. */
export async function openViews({ redisUrl, dataDirectory }: Config, told?: ViewsTold): Promise<ViewStore> {
  const directory = join(dataDirectory, 'views')
  if (redisUrl === null) return told ? keptViews(directory, told) : openEmbeddedViews(directory)
  const { openRedisViews } = await import('./views/redis.ts')
  return openRedisViews({ url: redisUrl })
}
