import type { Pace } from '../../delivery/feed.ts'
import type { Outlet } from '../../delivery/outlet.ts'
import type { PlacedNotice } from '../../delivery/placed-notice.ts'
import { within } from '../../within.ts'
import type { MessageBytes } from './message-bytes.ts'
import type { ProjectChange } from './projects-model.ts'

export interface FilePace extends Pace<ProjectChange> {
  /** Resolves when what waits of this project has gone out, or in a second. */
  told(number: number): Promise<void>
}

export interface FilePaceOptions {
  readonly outlet: Pick<Outlet, 'push' | 'holdsBack'>
  readonly bytes: MessageBytes
  readonly onError: (error: unknown) => void
}

/** Whoever waits for what is told waits no longer for files that cannot be read. */
const TOLD_MS = 1_000

/**
 * What is told of a project goes out in the order of its events: a message with a file waits until the bytes are read,
 * and what comes after it waits for it.
 */
export function filePace({ outlet, bytes, onError }: FilePaceOptions): FilePace {
  /** By project, in their order; the first is under way. */
  const waiting = new Map<number, PlacedNotice[]>()
  const running = new Map<number, Promise<void>>()
  let isStopped = false

  const send = ({ notice: { to, name, data }, ...told }: PlacedNotice, full: object): void =>
    outlet.push(to, name, full, { notice: { to, name, data }, ...told })

  /** Nobody in these rooms may claim to have heard what waits. */
  const floors = (queue: readonly PlacedNotice[], rooms: Iterable<string>): void => {
    for (const room of rooms)
      outlet.holdsBack(
        room,
        queue.find(({ notice }) => notice.to.room === room),
      )
  }

  const run = async (number: number, queue: PlacedNotice[]): Promise<void> => {
    for (let first = queue[0]; first && !isStopped; first = queue[0]) {
      const { name, data } = first.notice
      const complete = bytes.completing(name, data)
      let full: object = data
      try {
        if (complete) full = await complete()
      } catch (error) {
        onError(error)
      }
      if (isStopped) return
      queue.shift()
      floors(queue, [first.notice.to.room]) // before it goes out: its own cursor says that it is told
      send(first, full)
    }
    waiting.delete(number)
    running.delete(number)
  }

  return {
    push(notices, { number }) {
      const queue = waiting.get(number)
      if (queue) {
        queue.push(...notices)
        floors(queue, new Set(notices.map(({ notice }) => notice.to.room)))
        return
      }
      if (notices.every(({ notice: { name, data } }) => !bytes.completing(name, data))) {
        for (const one of notices) outlet.push(one.notice.to, one.notice.name, one.notice.data, one)
        return
      }
      const begun = [...notices]
      waiting.set(number, begun)
      floors(begun, new Set(notices.map(({ notice }) => notice.to.room)))
      running.set(number, run(number, begun))
    },
    async told(number) {
      await within(TOLD_MS, running.get(number) ?? Promise.resolve())
    },
    stop() {
      isStopped = true
      waiting.clear()
    },
  }
}
