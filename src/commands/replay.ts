import type { Config } from '../config.ts'
import { replayChat, type Step } from '../delivery/replay.ts'
import { openLog } from '../storage.ts'

/** Tells a chat in a terminal, one line for each recorded event, paced as it happened. Reads the log only, so no server is needed. */
export async function replayInTerminal(config: Config, room: string, speed: number): Promise<void> {
  const log = await openLog(config, {
    readOnly: true,
    onFatal: () => undefined, // nothing is written here
    onTrouble: (doing, error) => process.stderr.write(`${doing}: ${(error as Error).message}; trying again\n`),
  })
  try {
    let previous: Step | undefined
    for await (const step of replayChat(log, room)) {
      const gap = previous ? step.recorded.at - previous.recorded.at : 0
      if (speed > 0 && gap > 0) await new Promise((resolve) => setTimeout(resolve, gap / speed))
      process.stdout.write(`${lineOf(step)}\n`)
      previous = step
    }
    if (!previous) throw new Error(`there is no chat ${JSON.stringify(room)} in this log`)
  } finally {
    await log.close()
  }
}

function lineOf({ recorded, after }: Step): string {
  const { event, revision, at } = recorded
  const head = `${String(revision).padStart(4)}  ${new Date(at).toISOString()}  ${after.status.padEnd(9)}  ${event.type.padEnd(13)}`
  switch (event.type) {
    case 'ChatOpened':
      return `${head}  visitor ${after.visitor.name ?? after.visitorId}: ${JSON.stringify(event.content)}`
    case 'VisitorWrote':
      return `${head}  visitor: ${JSON.stringify(event.content)}`
    case 'StaffWrote':
      return `${head}  ${event.staffId}: ${JSON.stringify(event.content)}`
    case 'ChatClaimed':
      return `${head}  by ${event.staffId} (${event.role})`
    case 'ChatTakenOver':
      return `${head}  by ${event.staffId} (${event.role}) from ${event.from}`
    case 'ChatFlagged':
      return `${head}  severity ${event.severity} by ${event.staffId}`
    case 'ChatClosed':
      return `${head}  ${event.reason}`
  }
}
