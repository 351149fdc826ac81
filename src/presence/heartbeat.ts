import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Clock, Timer } from '../clock.ts'
import { fileOutage } from '../outage.ts'

export interface Heartbeat {
  /**
   * When the process that had this file before was last alive, milliseconds since 1970, at most a second early; null =
   * there was none.
   */
  readonly lastBeat: number | null
  /** From now on; to be called when what the last beat is needed for is recorded. */
  start(): void
  /** Beats once more and stops. */
  stop(): Promise<void>
}

const BEAT_MS = 1_000

/**
 * Writes the time into a file every second, so that the next process knows until when this one lived: whoever was
 * connected to it was there until then, and nobody can tell afterwards in another way. A disk that does not take it
 * costs precision, nothing else.
 */
export async function openHeartbeat(path: string, clock: Clock, onError: (error: unknown) => void): Promise<Heartbeat> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lastBeat = /^\d{13}$/.test(text) ? Number(text) : null
  let beating: Promise<void> | undefined
  let timer: Timer | undefined
  let stopped = false
  const trouble = fileOutage(path, 'after a crash nobody knows to the second until when this process lived', onError)

  const beat = (): void => {
    beating ??= writeFile(`${path}.new`, String(clock.now()))
      .then(() => rename(`${path}.new`, path)) // never half a time
      .then(trouble.worked, trouble.failed)
      .finally(() => {
        beating = undefined
        if (!stopped) timer = clock.after(BEAT_MS, beat)
      })
  }
  return {
    lastBeat,
    start: beat,
    async stop() {
      stopped = true
      timer?.cancel()
      await beating
      beat()
      await beating
    },
  }
}
