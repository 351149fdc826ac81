import { fileOutage, type NotWritten } from '../outage.ts'
import { type FileStore, FilesUnavailable } from './file-store.ts'

/** Files of which the operator is told once that they cannot be kept; whoever sends one is refused each time. */
export function toldFiles(store: FileStore, where: string, onError: (error: NotWritten) => void): FileStore {
  const trouble = fileOutage(where, 'messages with files are refused until it can, all else goes on', onError)
  return {
    ...store,
    async put(bytes) {
      try {
        const stored = await store.put(bytes)
        trouble.worked()
        return stored
      } catch (error) {
        if (error instanceof FilesUnavailable) trouble.failed(error)
        throw error
      }
    },
  }
}
