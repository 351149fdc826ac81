import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import type { LogNotes } from '../log/log-notes.ts'
import { recoverLog } from '../log/recover-log.ts'
import { summaryOf, verifyLog } from '../log/verify-log.ts'
import { logDirectory } from '../storage.ts'

/** What is found while something else is done with the log. */
export const notesToTerminal: LogNotes = {
  onDamage: (damage) => process.stderr.write(`${damage.message}\n`),
  note: (_, sentence) => process.stderr.write(`${sentence}\n`),
}

/** `lyceum log verify`: sets the exit code to 1 when anything is damaged. */
export async function verifyFiles(config: Config): Promise<void> {
  const verified = await verifyLog(embedded(config), (sentence) => process.stdout.write(`${sentence}\n`))
  process.stdout.write(`${summaryOf(verified)}\n`)
  if (verified.damage.length > 0) process.exitCode = 1
}

/** `lyceum log recover --to <directory>`: never writes to the log itself. */
export async function recoverFiles(config: Config, to: string): Promise<void> {
  const from = embedded(config)
  const { events, leftOut, unknown } = await recoverLog(from, to, notesToTerminal.note)
  for (const [stream, { from: revision, events: number }] of leftOut)
    process.stdout.write(`left out: ${stream} from event ${revision} on (${number} events)\n`)
  if (unknown > 0) process.stdout.write(`left out: ${unknown} events of which nothing tells whose they were\n`)
  process.stdout.write(
    `${events} events are in ${resolve(to)} now, ${leftOut.size} streams are not whole there. To go on with it, stop ` +
      `the server and put the directory in the place of ${resolve(from)}\n`,
  )
}

function embedded(config: Config): string {
  if (config.eventStoreUrl !== null)
    throw new Error('the log is in EventStoreDB (EVENTSTORE_URL): these commands are for the files of the embedded log')
  return logDirectory(config)
}
