/**
 * Files live outside the log, under the SHA-256 of their bytes (64 hexadecimal digits): an event holds the hash, and
 * the same bytes are kept once. Adapters: a directory, S3; one suite for both: `test/files/suite.ts`. Everything
 * rejects with FilesUnavailable when the store does not answer or has no room.
 */
export interface FileStore {
  /**
   * Resolves when the bytes are safe, so that an event may refer to them; a put that fails leaves nothing that could be
   * taken for a file. Bytes that are there already are as new again (see `list`). Rejects with TooLarge, and with
   * whatever the source of the bytes throws.
   */
  put(bytes: ByteSource): Promise<StoredFile>
  /** In pieces; `from` and `to` (exclusive) in bytes. Rejects with NoSuchFile. */
  read(hash: string, range?: { readonly from: number; readonly to?: number }): AsyncIterable<Uint8Array>
  /** In bytes; undefined = there is no such file. */
  size(hash: string): Promise<number | undefined>
  /**
   * Every file, with when it was put last (milliseconds since 1970). What cannot be looked at does not hide the rest:
   * rejects when the rest was given.
   */
  list(): AsyncIterable<{ readonly hash: string; readonly at: number }>
  /** Not when it was put after `unlessSince`; gives whether it is gone. */
  remove(hash: string, unlessSince: number): Promise<boolean>
  /** Clears away what was left by puts and removals that were killed: by puts only what was last written before. */
  tidy(before: number): Promise<void>
}

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

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

export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

export const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

/** As much as the largest frame that carries files: S3 holds the bytes of a put in memory. */
export const MAX_PUT_BYTES = 8 * 1024 * 1024

/** What the source gives; throws TooLarge instead of giving more than may be put. */
export async function* limited(bytes: ByteSource): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const piece of bytes) {
    size += piece.byteLength
    if (size > MAX_PUT_BYTES) throw new TooLarge(`a file must have at most ${MAX_PUT_BYTES} bytes, got more: send less`)
    yield piece
  }
}
