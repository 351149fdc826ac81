import { join } from 'node:path'
import { type Kinds, schemasOf } from '../machines/catalogue.ts'
import type { Projection } from '../projections/projection.ts'
import type { Config } from './config.ts'
import type { Contract } from './delivery/contract.ts'
import { openDirectoryFiles } from './files/directory.ts'
import type { FileStore } from './files/file-store.ts'
import { openS3Files } from './files/s3.ts'
import { codec } from './log/codec.ts'
import { openEmbeddedLog } from './log/embedded.ts'
import { openEventStoreLog } from './log/eventstore.ts'
import type { Log } from './log/log.ts'
import { openEmbeddedViews } from './views/embedded.ts'
import { openRedisViews } from './views/redis.ts'
import type { ViewStore } from './views/store.ts'

/** All views of an installation that serves these contracts, by name. */
export const viewsOf = (contracts: readonly Contract[]): readonly Projection[] =>
  [...new Set(contracts.flatMap(({ views }) => views))].sort((a, b) => (a.name < b.name ? -1 : 1))

export interface LogHooks {
  /** The embedded log could not be written: the process must not acknowledge anything any more. */
  readonly onFatal: (error: unknown) => void
  /** EventStoreDB did not answer; it is asked again. */
  readonly onTrouble: (doing: string, error: unknown) => void
  /** For the command line, which may look on while a server writes. */
  readonly readOnly?: boolean
}

/** The log that the configuration names, of entities of these kinds. */
export function openLog(
  config: Config,
  kinds: Kinds,
  { onFatal, onTrouble, readOnly = false }: LogHooks,
): Promise<Log> {
  const schemas = codec(schemasOf(kinds))
  if (config.eventStoreUrl !== null) return openEventStoreLog({ url: config.eventStoreUrl, codec: schemas, onTrouble })
  return openEmbeddedLog({ path: join(config.dataDirectory, 'log'), codec: schemas, now: Date.now, onFatal, readOnly })
}

/** The files that the configuration names. */
export const openFiles = async ({ files }: Config): Promise<FileStore> =>
  files.kind === 's3' ? openS3Files(files) : openDirectoryFiles(files.path)

/** The views that the configuration names. */
export function openViews(config: Config): Promise<ViewStore> {
  return config.redisUrl === null
    ? openEmbeddedViews(join(config.dataDirectory, 'views'))
    : openRedisViews({ url: config.redisUrl })
}
