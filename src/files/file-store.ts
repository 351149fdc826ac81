/**
 * Files live outside the log, under the SHA-256 of their bytes (64 hexadecimal digits): an event holds the hash, and
 * the same bytes are kept once. Adapters: a directory, S3; one suite for both: `test/files/suite.ts`. Everything
 * rejects with FilesUnavailable when the store does not answer or has no room.
 */
export interface FileStore {
  /**
   * Resolves when the bytes are safe, so that an event may refer to them; a put that fails leaves nothing that could be
   * taken for a file. Bytes that are there already are as new again (see `list`).
   */
  put(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredFile>
  /** In pieces; `from` and `to` (exclusive) in bytes. Rejects with NoSuchFile. */
  read(hash: string, range?: { readonly from: number; readonly to?: number }): AsyncIterable<Uint8Array>
  /** In bytes; undefined = there is no such file. */
  size(hash: string): Promise<number | undefined>
  /** Every file, with when it was put last (milliseconds since 1970). */
  list(): AsyncIterable<{ readonly hash: string; readonly at: number }>
  /** Not when it was put after `unlessSince`; gives whether it is gone. */
  remove(hash: string, unlessSince: number): Promise<boolean>
}

export interface StoredFile {
  readonly hash: string
  /** In bytes. */
  readonly size: number
}

export class NoSuchFile extends Error {
  override readonly name = 'NoSuchFile'
}

/** Try again later; the message says what the store said. */
export class FilesUnavailable extends Error {
  override readonly name = 'FilesUnavailable'
}

export const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
