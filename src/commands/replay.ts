import { catalogue } from '../../machines/catalogue.ts'
import type { Config } from '../config.ts'
import { replayChat, type Step } from '../contracts/support-chat/past.ts'
import { openLog } from '../storage.ts'
import { notesToTerminal } from './log.ts'

/**
 * Tells a chat in a terminal, one line for each recorded event, paced as it happened. Reads the log only, so no server
 * is needed.
 */
export async function replayInTerminal(config: Config, room: string, speed: number): Promise<void> {
  process.stdout.once('error', () => process.exit(0)) // whoever reads has seen enough (`… | head`)
  const log = await openLog(config, catalogue, {
    readOnly: true,
    notes: notesToTerminal,
    onFatal: () => undefined, // nothing is written here
    onTrouble: (doing, error) => process.stderr.write(`${doing}: ${(error as Error).message}; trying again\n`),
  })
  try {
    const names = new Map<string, string>()
    let previous: Step | undefined
    for await (const step of replayChat(log, room)) {
      const gap = previous ? step.recorded.at - previous.recorded.at : 0
      if (speed > 0 && gap > 0) await new Promise((resolve) => setTimeout(resolve, gap / speed))
      for (const [id, name] of namedIn(step)) names.set(id, name)
      process.stdout.write(`${lineOf(step, (id) => names.get(id) ?? id)}\n`)
      previous = step
    }
    if (!previous) throw new Error(`there is no chat ${JSON.stringify(room)} in this log`)
  } finally {
    await log.close()
  }
}

/** Whom the notices of this step name, as they were called then. */
function* namedIn({ notices }: Step): Generator<readonly [string, string]> {
  for (const { data } of notices) {
    if (!('user' in data) || !('organisation_id' in data.user)) continue
    const { id, display_name, full_name } = data.user
    yield [id, display_name ?? full_name ?? id]
  }
}

function lineOf({ recorded, after }: Step, nameOf: (staffId: string) => string): string {
  const { event, revision, at } = recorded
  const visitor = after.visitor.name ?? after.visitorId
  const when = `${String(revision).padStart(4)}  ${new Date(at).toISOString()}`
  const head = `${when}  ${after.status.padEnd(9)}  ${event.type.padEnd(13)}`
  switch (event.type) {
    case 'ChatOpened':
      return `${head}  visitor ${visitor}: ${JSON.stringify(event.content)}`
    case 'VisitorWrote':
      return `${head}  ${visitor}: ${JSON.stringify(event.content)}`
    case 'StaffWrote':
      return `${head}  ${nameOf(event.staffId)}: ${JSON.stringify(event.content)}`
    case 'ChatClaimed':
      return `${head}  by ${nameOf(event.staffId)} (${event.role})`
    case 'ChatTakenOver':
      return `${head}  by ${nameOf(event.staffId)} (${event.role}) from ${nameOf(event.from)}`
    case 'ChatTransferred':
      return `${head}  to ${nameOf(event.staffId)} (${event.role}) by ${nameOf(event.from)}`
    case 'ChatAssigned':
      return `${head}  to ${nameOf(event.staffId)} (${event.role}) by ${nameOf(event.by)}`
    case 'ChatReturned':
      return `${head}  by ${nameOf(event.staffId)}`
    case 'ChatFlagged':
      return `${head}  severity ${event.severity} by ${nameOf(event.staffId)}`
    case 'ChatClosed':
      return `${head}  ${event.reason}`
  }
}
