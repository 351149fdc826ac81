import { open, readFile, rename } from 'node:fs/promises'
import type { Checkpoint } from '../log/log.ts'

export interface Checkpoints {
  /** Null: nothing was stored, or nothing that can be read; then everything is looked at again. */
  load(): Promise<Checkpoint | null>
  /** Rejects when the disk does not take it. */
  store(checkpoint: Checkpoint): Promise<void>
}

/**
 * One small file, replaced as a whole. It stands in the data directory and not in the views, because views can be
 * thrown away (an emptied Redis) and with them the knowledge of what years of events others have already got.
 */
export function checkpointFile(path: string): Checkpoints {
  return {
    async load() {
      try {
        const { position, id } = JSON.parse(await readFile(path, 'utf8')) as { position: string; id: string }
        return { position: BigInt(position), id }
      } catch {
        return null
      }
    },
    async store({ position, id }) {
      const aside = await open(`${path}.new`, 'w', 0o600)
      try {
        await aside.writeFile(`${JSON.stringify({ position: `${position}`, id })}\n`)
        await aside.sync() // a rename that outlives a power loss without its bytes would leave an empty file
      } finally {
        await aside.close()
      }
      await rename(`${path}.new`, path)
    },
  }
}
