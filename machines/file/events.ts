import type { EventSchema } from '../kernel.ts'

/** An event refers to these bytes, in the stream `file-<SHA-256>`: from now on they are kept. `by`: its stream. */
export interface FileEvent {
  readonly type: 'FileReferredTo'
  readonly by: string
}

export const fileEvents: Readonly<Record<FileEvent['type'], EventSchema>> = {
  FileReferredTo: { version: 1, personal: [], upcasts: {} },
}
