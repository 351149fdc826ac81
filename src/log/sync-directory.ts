import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the name of a file, new or changed, as durable as what is in it. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return // directories cannot be opened there
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
