import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { type FileStore, FilesUnavailable, isHash, limited, NoSuchFile } from './file-store.ts'

/** Where a bucket is; credentials come from the environment, as AWS's own tools take them. */
export interface S3Place {
  readonly bucket: string
  readonly region: string
  /** Of another server that speaks S3; null = AWS. */
  readonly endpoint: string | null
}

const PREFIX = 'files/'
const ATTEMPTS = 3
const CONNECT_MS = 10_000
/** For an answer, with all its attempts; when a file is read, for each piece of it. */
const ANSWER_MS = 30_000

/**
 * Files in a bucket of S3, as `files/<hash>`. The bytes of one file are in memory while it is put: its name is known
 * when all of them are. A put is answered when the bucket has answered, which is when it is durable there.
 */
export function openS3Files({ bucket: Bucket, region, endpoint }: S3Place, answerMs = ANSWER_MS): FileStore {
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    // Servers that are not AWS's know no checksums of this kind.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const keyOf = (hash: string): string => {
    if (!isHash(hash)) throw new NoSuchFile('a file is called by the SHA-256 of its bytes')
    return PREFIX + hash
  }
  const answered = <T>(ask: (abort: Abort) => Promise<T>): Promise<T> => inTime(answerMs, ask)
  const head = (hash: string) => {
    const command = new HeadObjectCommand({ Bucket, Key: keyOf(hash) })
    return answered((abort) => client.send(command, abort)).catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw unavailable(error)
    })
  }

  return {
    async put(bytes) {
      const pieces: Uint8Array[] = []
      for await (const piece of limited(bytes)) pieces.push(piece)
      const Body = Buffer.concat(pieces)
      const hash = createHash('sha256').update(Body).digest('hex')
      try {
        const command = new PutObjectCommand({ Bucket, Key: keyOf(hash), Body })
        await answered((abort) => client.send(command, abort))
      } catch (error) {
        throw unavailable(error)
      }
      return { hash, size: Body.length }
    },
    async *read(hash, { from = 0, to } = { from: 0 }) {
      const Key = keyOf(hash)
      if (to !== undefined && to <= from) return
      const Range = from === 0 && to === undefined ? {} : { Range: `bytes=${from}-${to === undefined ? '' : to - 1}` }
      try {
        const command = new GetObjectCommand({ Bucket, Key, ...Range })
        const { Body } = await answered((abort) => client.send(command, abort))
        if (Body) yield* piecesOf(Body as Readable, answerMs) // of Node's handler
      } catch (error) {
        if ((error as { readonly name?: string }).name === 'InvalidRange') return // there is nothing behind its end
        throw isMissing(error) ? new NoSuchFile(`there is no file ${hash}`) : unavailable(error)
      }
    },
    size: async (hash) => (isHash(hash) ? (await head(hash))?.ContentLength : undefined),
    async *list() {
      for (let ContinuationToken: string | undefined; ; ) {
        const more = ContinuationToken === undefined ? {} : { ContinuationToken }
        const command = new ListObjectsV2Command({ Bucket, Prefix: PREFIX, ...more })
        const page = await answered((abort) => client.send(command, abort)).catch((error: unknown) => {
          throw unavailable(error)
        })
        for (const { Key = '', LastModified } of page.Contents ?? []) {
          const hash = Key.slice(PREFIX.length)
          if (isHash(hash) && LastModified) yield { hash, at: LastModified.getTime() }
        }
        ContinuationToken = page.NextContinuationToken
        if (ContinuationToken === undefined) return
      }
    },
    async remove(hash, unlessSince) {
      const found = await head(hash)
      if (!found) return true
      // Whole seconds: what was put in the same one counts as later. S3 cannot compare and delete in one step.
      if ((found.LastModified?.getTime() ?? 0) + 999 > unlessSince) return false
      try {
        const command = new DeleteObjectCommand({ Bucket, Key: keyOf(hash) })
        await answered((abort) => client.send(command, abort))
        return true
      } catch (error) {
        throw unavailable(error)
      }
    },
    async tidy() {}, // a put is one request, which is there whole or not at all
  }
}

interface Abort {
  readonly abortSignal: AbortSignal
}

/** Waits so long and no longer. The SDK does not see to it: what it calls `requestTimeout` warns, and waits on. */
async function inTime<T>(limitMs: number, ask: (abort: Abort) => Promise<T>): Promise<T> {
  const givingUp = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`no answer within ${limitMs} ms`))
    givingUp.abort()
  }, limitMs)
  return Promise.race([ask({ abortSignal: givingUp.signal }), late]).finally(() => clearTimeout(timer))
}

/** Waits for each piece so long and no longer; how long its reader takes over a piece is the reader's own matter. */
async function* piecesOf(body: Readable, limitMs: number): AsyncGenerator<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await inTime(limitMs, () => pieces.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    body.destroy()
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof NoSuchKey || error instanceof NotFound || (error as { readonly name?: string }).name === 'NoSuchKey'

function unavailable(error: unknown): unknown {
  if (error instanceof NoSuchFile) return error
  const { name, message } = error as Error
  return new FilesUnavailable(`the bucket of files does not answer as it should (${name}: ${message})`, {
    cause: error,
  })
}
