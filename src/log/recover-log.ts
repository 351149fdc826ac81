import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { everyEvent, seenStreams } from './every-event.ts'
import { expectReadable, writeFormat } from './format-file.ts'
import type { LogNotes } from './log-notes.ts'
import type { Placed } from './segment-format.ts'
import { openSegmentWriter } from './segment-writer.ts'
import { openSegments } from './segments.ts'

export interface RecoveredLog {
  readonly events: number
  /** Of each stream that is not there as a whole: its first event that is left out, and how many are. */
  readonly leftOut: ReadonlyMap<string, { readonly from: number; readonly events: number }>
  /** Events of which nobody knows whose they were. */
  readonly unknown: number
}

/**
 * Copies everything that is whole into a new log, each stream up to its first event that cannot be had. Positions
 * close up. The source is only read. Throws a sentence when the target is not empty, or lies in the source.
 */
export async function recoverLog(from: string, to: string, note: LogNotes['note']): Promise<RecoveredLog> {
  expectReadable(from)
  expectOutside(from, to)
  mkdirSync(to, { recursive: true })
  if (readdirSync(to).length > 0) throw new Error(`${to} must be a directory that is empty, or does not exist yet`)
  const source = openSegments({ directory: from, readOnly: true, note, onDamage: () => {}, onIndexed: () => {} })
  const target = openSegments({ directory: to, readOnly: false, note, onDamage: () => {}, onIndexed: () => {} })
  const writer = await openSegmentWriter({ directory: to, segments: target, segmentBytes: SEGMENT_BYTES, note })
  const streams = seenStreams()
  const stopped = new Map<string, { from: number; events: number }>()
  let [events, unknown] = [0, 0]

  const leaveOut = (stream: string, revision: number): void => {
    const known = stopped.get(stream)
    if (known) known.events++
    else stopped.set(stream, { from: revision, events: 1 })
  }

  try {
    for await (const batch of everyEvent(source)) {
      const rows: Placed[] = []
      const texts: string[] = []
      for (const event of batch) {
        if (event.kind === 'lost') {
          const { owner, name } = event
          if (owner) leaveOut(name ?? streams.nameOf(owner), owner.revision)
          else unknown++
          continue
        }
        const { placed, text } = event
        const due = streams.see(placed)
        if (due !== undefined || stopped.has(placed.stream)) {
          leaveOut(placed.stream, due ?? placed.revision)
          continue
        }
        rows.push({ ...placed, position: BigInt(events + rows.length) })
        texts.push(text)
      }
      if (rows.length > 0) await writer.write(rows, texts)
      events += rows.length
    }
  } finally {
    await writer.close()
    for (const { files } of [source, target]) files.close()
  }
  await writeFormat(to)
  return { events, leftOut: stopped, unknown }
}

function expectOutside(from: string, to: string): void {
  const way = relative(realpathSync(from), realOf(resolve(to)))
  if (way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)))
    throw new Error(`${to} must not be the log itself, nor lie in it (${from}): nothing is written there`)
}

/** Of a path whose end may not be there yet. */
const realOf = (path: string): string =>
  existsSync(path) || path === dirname(path) ? realpathSync(path) : join(realOf(dirname(path)), basename(path))

const SEGMENT_BYTES = 64 * 2 ** 20
