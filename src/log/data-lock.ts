import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another log, in this process or another, writes there. */
export class DataInUse extends Error {
  override readonly name = 'DataInUse'
}

/**
 * Holds a data directory for this process. An exclusive SQLite transaction on an empty file serves as the lock: it is a
 * lock of the operating system, so it vanishes with the process even under SIGKILL, and holds between containers that
 * share a disk (which a socket's name does not). Not safe on network file systems.
 *
 * Throws DataInUse when another log holds the directory.
 */
export function lockData(directory: string): { release(): void } {
  const file = new DatabaseSync(join(directory, 'writer.lock'), { timeout: 0 })
  try {
    // Without it the lock would leave a journal file behind after a kill.
    file.exec('PRAGMA journal_mode = MEMORY')
    file.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    if ((error as { errcode?: number }).errcode !== 5) throw error
    throw new DataInUse(
      `the data directory ${directory} is in use by another Lyceum process, and only one may write: ` +
        'stop that process, or set LYCEUM_DATA to another directory (reading alone is possible: open it read-only)',
    )
  }
  return { release: () => file.close() }
}
