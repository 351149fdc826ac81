import { join } from 'node:path'
import { eventSchemas } from '../machines/catalogue.ts'
import { attendanceSessions } from '../projections/attendance-sessions.ts'
import { chats } from '../projections/chats.ts'
import { courses } from '../projections/courses.ts'
import { lessons } from '../projections/lessons.ts'
import { online } from '../projections/online.ts'
import { people } from '../projections/people.ts'
import type { Projection } from '../projections/projection.ts'
import type { Config } from './config.ts'
import { codec } from './log/codec.ts'
import { openEmbeddedLog } from './log/embedded.ts'
import { openEventStoreLog } from './log/eventstore.ts'
import type { Log } from './log/log.ts'
import { openEmbeddedViews } from './views/embedded.ts'
import { openRedisViews } from './views/redis.ts'
import type { ViewStore } from './views/store.ts'

/** All views of an installation. */
export const PROJECTIONS: readonly Projection[] = [
  attendanceSessions,
  chats,
  courses,
  lessons,
  online,
  people,
] as unknown as readonly Projection[] // each folds its own kind of row

export interface LogHooks {
  /** The embedded log could not be written: the process must not acknowledge anything any more. */
  readonly onFatal: (error: unknown) => void
  /** EventStoreDB did not answer; it is asked again. */
  readonly onTrouble: (doing: string, error: unknown) => void
  /** For the command line, which may look on while a server writes. */
  readonly readOnly?: boolean
}

/** The log that the configuration names. */
export function openLog(config: Config, { onFatal, onTrouble, readOnly = false }: LogHooks): Promise<Log> {
  const schemas = codec(eventSchemas)
  if (config.eventStoreUrl !== null) return openEventStoreLog({ url: config.eventStoreUrl, codec: schemas, onTrouble })
  return openEmbeddedLog({ path: join(config.dataDirectory, 'log'), codec: schemas, now: Date.now, onFatal, readOnly })
}

/** The views that the configuration names. */
export function openViews(config: Config): Promise<ViewStore> {
  return config.redisUrl === null
    ? openEmbeddedViews(join(config.dataDirectory, 'views'))
    : openRedisViews({ url: config.redisUrl })
}
