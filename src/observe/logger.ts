import { type Logger, pino } from 'pino'
import type { LogLevel } from '../config-variables.ts'

export type { Logger }

/**
 * JSON lines on standard error; standard output is for people. Nothing that is logged holds a token or the content of a
 * message.
 */
export const openLogger = (level: LogLevel): Logger =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))
