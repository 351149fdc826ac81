import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { openEntrance } from './gateway/http/entrance.ts'
import { AnotherPast } from './log/log.ts'
import { damages } from './observe/damages.ts'
import type { Logger } from './observe/logger.ts'
import { type Running, type ServeWhat, serve } from './serve.ts'
import { openServedLog } from './serve-log.ts'
import { logPast } from './serve-past.ts'

/** Between attempts to serve again, while Redis or the log keep a start from succeeding. */
const AGAIN_MS = 1_000

/**
 * Serves, and begins anew within the same process when the log was put back from an older backup or replaced: nothing
 * that a node has in memory is worth anything then. Clients see a lost connection and come back to the same address,
 * where they are told how it stands. Rejects, as `serve` does, when the first start fails. `onAgain` is told of every
 * later one.
 */
export async function serveAnew(
  config: Config,
  logger: Logger,
  what: ServeWhat,
  onAgain: (running: Running) => void,
): Promise<Running> {
  let entrance = await openEntrance(config)
  const port = Number(new URL(entrance.url).port)
  let away: string | null = null
  const onDamaged = damages(logger)
  const log = await openServedLog({
    ...{ config, kinds: what.kinds, clock: systemClock, logger, onDamaged },
    entrance: {
      isOpen: () => entrance.isOpen(),
      logIsAway(reason) {
        away = reason
        entrance.logIsAway(reason)
      },
    },
  })
  const past = logPast(log, logger)
  const stopping = new AbortController()
  let current: Running | undefined
  let turn: Promise<void> = Promise.resolve()

  const failed = (error: unknown, how: string): void =>
    logger.warn({ err: error }, `after the log has changed this node could not be ${how} cleanly; it goes on`)

  const start = async (): Promise<Running> => {
    let running: Running | undefined
    const again = async (): Promise<void> => {
      if (running === undefined || stopping.signal.aborted) return
      current = undefined
      await running.stop().catch((error: unknown) => failed(error, 'ended'))
      await startAgain()
    }
    const run = past.begin(() => {
      turn = turn.then(again)
    })
    running = await serve(config, logger, what, { log, past: run, entrance, onDamaged })
    return running
  }

  const startAgain = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        entrance.http.close()
        entrance.http.closeAllConnections()
        entrance = await openEntrance({ ...config, port })
        entrance.logIsAway(away)
        current = await start()
        return onAgain(current)
      } catch (error) {
        failed(error, 'started')
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  const starting = start().then(
    (running) => {
      current = running
    },
    async (error: unknown) => {
      if (!(error instanceof AnotherPast)) throw error
      await startAgain() // the log changed while this node was starting
    },
  )
  turn = starting.catch(() => {}) // whoever started hears of it
  await starting
  return {
    url: entrance.url,
    demo: current?.demo ?? [],
    failed: (error, where) => current?.failed(error, where),
    async stop() {
      stopping.abort()
      await turn
      await current?.stop()
      await log.close()
    },
  }
}
