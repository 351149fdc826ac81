import { type FileHandle, open, rename } from 'node:fs/promises'
import { fileOutage } from '../outage.ts'

export interface LineFileOptions {
  readonly path: string
  /** What has to stand in it now. */
  readonly lines: () => Iterable<string>
  /** What it costs that it cannot be written. */
  readonly cost: string
  readonly onError: (error: unknown) => void
}

/** A file with a line for each change of what is kept in memory. */
export interface LineFile {
  add(line: string): void
  close(): Promise<void>
}

/** The file is written anew when it has so many lines more than are needed. */
const MAX_SPARE_LINES = 20_000
/** After a failure the whole file is written anew, at the earliest then. */
const RETRY_MS = 1_000

/**
 * Lines are written as soon as the ones before are, without waiting for the disk itself: they have to outlive the
 * process, not a machine that loses its power. Its owner alone may read it.
 */
export async function openLineFile({ path, lines, cost, onError }: LineFileOptions): Promise<LineFile> {
  let file: FileHandle | undefined
  let spare = 0
  let waiting = ''
  let writing: Promise<void> | undefined
  let retryAt = 0
  const trouble = fileOutage(path, cost, onError)

  /** A half-written file never takes the place of a whole one. */
  const rewrite = async (): Promise<void> => {
    waiting = ''
    spare = 0
    let text = ''
    for (const line of lines()) text += `${line}\n`
    await file?.close()
    file = undefined
    const next = await open(`${path}.new`, 'w', 0o600)
    try {
      await next.writeFile(text)
      await rename(`${path}.new`, path)
    } catch (error) {
      await next.close()
      throw error
    }
    file = next
  }

  const write = async (): Promise<void> => {
    while (waiting !== '') {
      if (!file || spare > MAX_SPARE_LINES) await rewrite()
      else {
        const text = waiting
        waiting = ''
        await file.appendFile(text)
      }
    }
  }

  /** What is known is in memory, and is written with a later change. */
  const failed = (error: unknown): void => {
    waiting = ''
    spare = Number.POSITIVE_INFINITY
    retryAt = performance.now() + RETRY_MS
    trouble.failed(error)
  }

  await rewrite().catch(failed)
  return {
    add(line) {
      if (performance.now() < retryAt) return
      waiting += `${line}\n`
      spare++
      writing ??= write()
        .then(trouble.worked, failed)
        .finally(() => (writing = undefined))
    },
    async close() {
      await writing
      await file?.close()
    },
  }
}
