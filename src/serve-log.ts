import type { Kinds } from '../machines/catalogue.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Entrance } from './gateway/http/entrance.ts'
import type { StreamDamaged } from './log/damaged.ts'
import type { Log } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import { openLog } from './storage.ts'

export interface ServedLogOptions {
  readonly config: Config
  readonly kinds: Kinds
  readonly clock: Clock
  readonly logger: Logger
  readonly onDamaged: (damage: StreamDamaged) => void
  readonly entrance: Pick<Entrance, 'isOpen' | 'logIsAway'>
}

/**
 * The log of a node that serves. Waits for a server that is down or not ready, and says so; rejects with a sentence for
 * people where waiting does not help.
 */
export function openServedLog({ config, kinds, clock, logger, onDamaged, entrance }: ServedLogOptions): Promise<Log> {
  let isAway = false
  return openLog(config, kinds, {
    onFatal(error) {
      logger.fatal(
        { err: error },
        'the log cannot be written: nothing may be acknowledged any more, so this process ends',
      )
      process.exit(70) // EX_SOFTWARE of sysexits.h
    },
    onFull(reason) {
      entrance.logIsAway(reason)
      if (reason === null) logger.warn('there is room again: the log can be written')
      else logger.error(`nothing can be recorded: ${reason}`)
    },
    notes: { onDamage: onDamaged, note: (level, sentence) => logger[level](sentence) },
    onTrouble(doing, error) {
      // What is known is said by `health`, and not by each call that fails of it.
      if (!isAway) logger.warn({ err: error, doing }, 'the log did not answer; asking again')
    },
    health: {
      clock,
      isStarting: () => !entrance.isOpen(),
      report(reason) {
        isAway = reason !== null
        entrance.logIsAway(reason)
        if (reason === null) logger.warn('the log can be worked with again')
        else logger.warn(`the log is waited for: ${reason}`)
      },
    },
  })
}
