import { join } from 'node:path'
import { startAnalytics } from './analytics/start.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { ownSecret } from './gateway/auth/keys.ts'
import type { Log } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import type { openMetrics } from './observe/metrics.ts'
import type { Worker } from './outbound/worker.ts'

export interface TellMixpanelOptions {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ReturnType<typeof openMetrics>['analytics']
  readonly onError: (error: unknown) => void
}

/** A Mixpanel that stays away is a line in the log at first, and then about every half hour. */
const WARN_EVERY_FAILURES = 30

/**
 * Mixpanel as the configuration names it, with figures and log lines; without a token it does nothing. The caller stops
 * it before the log.
 */
export async function tellMixpanel({
  config,
  log,
  clock,
  logger,
  metrics,
  onError,
}: TellMixpanelOptions): Promise<Worker> {
  const { keys, mixpanel, dataDirectory } = config
  const follower = await startAnalytics({
    mixpanel,
    log,
    clock,
    directory: join(dataDirectory, 'analytics'),
    // Nodes of one installation share JWT_SECRET, if anything, and must agree on pseudonyms. A secret that we keep
    // ourselves is another one than that of the tokens: to end all sessions must not make everybody a new person in
    // Mixpanel.
    secret: async () => (keys.kind === 'secret' ? keys.secret : await ownSecret(dataDirectory, 'analytics-secret')),
    observer: {
      sent: metrics.sent,
      setAside({ stream, position, why }) {
        metrics.setAside()
        logger.error(
          { stream, position: `${position}`, why },
          'Mixpanel will never take this event: it is passed over, and stays in the log',
        )
      },
      retrying(why, failures, waitMs) {
        metrics.retried()
        if (failures % WARN_EVERY_FAILURES === 0)
          logger.warn({ why, failures, waitMs: Math.round(waitMs) }, 'Mixpanel does not take events; trying again')
      },
      failed: onError,
    },
  })
  metrics.watch(follower.lagMs)
  return follower
}
