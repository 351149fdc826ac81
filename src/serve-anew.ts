import type { Config } from './config.ts'
import { AnotherPast } from './log/log.ts'
import type { Logger } from './observe/logger.ts'
import { type Running, type ServeWhat, serve } from './serve.ts'
import { logPast } from './serve-past.ts'
import { openLog } from './storage.ts'

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
  const log = await openLog(config, what.kinds, {
    onFatal(error) {
      logger.fatal(
        { err: error },
        'the log cannot be written: nothing may be acknowledged any more, so this process ends',
      )
      process.exit(70) // EX_SOFTWARE of sysexits.h
    },
    onTrouble: (doing, error) => logger.warn({ err: error, doing }, 'the log did not answer; asking again'),
  })
  const past = logPast(log, logger)
  const stopping = new AbortController()
  let port = config.port
  let current: Running | undefined
  let turn: Promise<void> = Promise.resolve()

  /** Also when the log changes while it starts. */
  const start = async (): Promise<Running> => {
    for (;;) {
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
      try {
        running = await serve({ ...config, port }, logger, what, { log, past: run })
        port = Number(new URL(running.url).port)
        return running
      } catch (error) {
        if (!(error instanceof AnotherPast)) throw error
      }
    }
  }

  const failed = (error: unknown, what: string): void =>
    logger.warn({ err: error }, `after the log has changed this node could not be ${what} cleanly; it goes on`)

  const startAgain = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        current = await start()
        return onAgain(current)
      } catch (error) {
        failed(error, 'started')
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  const starting = start()
  turn = starting.then(ignore, ignore)
  const first = await starting
  current = first
  return {
    url: first.url,
    demo: first.demo,
    async stop() {
      stopping.abort()
      await turn
      await current?.stop()
      await log.close()
    },
  }
}

/** Whoever started hears of it. */
const ignore = (): void => {}
