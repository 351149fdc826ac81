import type { FileRef } from '../../../machines/project/events.ts'
import type { Clock } from '../../clock.ts'
import type { FileStore } from '../../files/file-store.ts'
import { pause } from '../../pause.ts'

/** Puts the bytes of files into messages that go out. */
export interface MessageBytes {
  /** Undefined where there is nothing to put in. Resolves without the bytes when the files stay away. */
  completing(name: string, data: object): (() => Promise<object>) | undefined
}

export interface MessageBytesParts {
  readonly files: Pick<FileStore, 'read'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** A message is told without its bytes rather than never: they are over HTTP, too. */
const ATTEMPTS = 10
const BETWEEN_MS = 1_000

export const messageBytes = ({ files, clock, onError }: MessageBytesParts): MessageBytes => ({
  completing(_, data) {
    const { file, ...rest } = data as { readonly file?: FileRef }
    if (!file) return undefined
    return async () => {
      for (let attempt = 1; ; attempt++)
        try {
          return { ...rest, file_base64: await base64Of(files, file.hash) }
        } catch (error) {
          onError(error)
          if (attempt === ATTEMPTS) return rest
          await pause(clock, BETWEEN_MS, new AbortController().signal)
        }
    }
  },
})

/** In pieces of whole groups of three bytes, so that no turn has to encode all of it. */
async function base64Of(files: Pick<FileStore, 'read'>, hash: string): Promise<string> {
  const parts: string[] = []
  let rest = Buffer.alloc(0)
  for await (const chunk of files.read(hash)) {
    const bytes =
      rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const whole = bytes.length - (bytes.length % 3)
    parts.push(bytes.toString('base64', 0, whole))
    rest = Buffer.from(bytes.subarray(whole))
  }
  return parts.join('') + rest.toString('base64')
}
