import type { Logger } from './logger.ts'

/** What an operator is told of the directory of the views: nothing else stands still because of it. */
export const viewsTold = (logger: Logger, metrics: { failed(where: string): void }) => ({
  away(err: unknown): void {
    metrics.failed('views')
    logger.error({ err }, 'the views cannot be written: lists are answered 503 until they can, all else goes on')
  },
  back: (): void => logger.warn('the views can be written again'),
  madeAgain(why: string): void {
    metrics.failed('views')
    logger.error({ why }, 'the views were damaged or are of another release: they are made again from the log')
  },
})
