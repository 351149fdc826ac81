import { join } from 'node:path'
import type { Party, Recorded } from '../../../machines/kernel.ts'
import { isOf } from '../../../machines/stream.ts'
import type { BackOff } from '../../back-off.ts'
import type { Node, StoppablePolicy } from '../../delivery/contract.ts'
import { startSweeping } from '../../files/sweep.ts'
import { checkpointFile } from '../../outbound/checkpoint.ts'
import { insist } from '../../outbound/insist.ts'
import { type Outgoing, openWorker, type Worker } from '../../outbound/worker.ts'

/** A message that came with a file. */
interface Sent extends Outgoing {
  readonly hash: string
  readonly stream: string
}

type Parts = Pick<Node, 'log' | 'entities' | 'clock' | 'config' | 'files' | 'onError'>

const BACK_OFF: BackOff = { firstMs: 500, longestMs: 30_000 }
/** While it is further behind, nothing is removed: an event that it has not seen may refer to anything. */
const MAX_LAG_MS = 3_600_000

/**
 * Which files events refer to is found by a follower of the log of its own, and recorded by file; every hour what none
 * refers to after a day is removed.
 */
export function keptFiles({ log, entities, clock, config, files, onError }: Parts): StoppablePolicy {
  const failed = (error: unknown): void => onError(error, 'files')
  let worker: Worker | undefined
  let sweeping: ReturnType<typeof startSweeping> | undefined

  const keep = ({ hash, stream }: Sent, leaving: AbortSignal): Promise<boolean> => {
    const by: Party = { id: 'files', org: 'system', role: 'system' }
    const ask = () => entities.ask('file', hash, { type: 'KeepFile', stream, by, at: clock.now() })
    return insist(ask, { clock, backOff: BACK_OFF, leaving })
  }

  return {
    categories: [],
    onEvent() {},
    start() {
      worker = openWorker<Sent>({
        ...{ log, clock, backOff: BACK_OFF, batch: 100, everyMs: 500, hurryMs: 2_000, begins: 'start' },
        checkpoints: checkpointFile(join(config.dataDirectory, 'files.json')),
        async outgoing(recorded) {
          const hash = fileIn(recorded)
          return hash === null ? null : { hash, stream: recorded.stream, at: recorded.at }
        },
        async deliver(batch, leaving) {
          for (const one of batch) if (!(await keep(one, leaving))) return false
          return true
        },
        observer: {
          setAside: ({ stream, position, why }) => failed(new Error(`${stream} at ${position} is passed over: ${why}`)),
          failed,
        },
      })
      sweeping = startSweeping({
        files,
        async isReferred(hash) {
          if ((worker?.lagMs() ?? 0) > MAX_LAG_MS) throw new Error('what refers to files is not known at the moment')
          return (await entities.state('file', hash)).state.matches('kept')
        },
        clock,
        onError: failed,
      })
    },
    async stop() {
      await Promise.all([sweeping?.stop(), worker?.stop()])
    },
  }
}

const fileIn = (recorded: Recorded): string | null =>
  isOf('project', recorded) && recorded.event.type === 'MessageSent' ? (recorded.event.file?.hash ?? null) : null
