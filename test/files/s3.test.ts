import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import S3rver from 's3rver'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FilesUnavailable } from '../../src/files/file-store.ts'
import { openS3Files } from '../../src/files/s3.ts'
import { freshData } from '../support/data.ts'
import { all, fileStoreSuite, listed } from './suite.ts'

/** A server that speaks S3, with one bucket. */
async function bucket() {
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: await freshData() },
    configureBuckets: [{ name: 'files', configs: [] }],
  })
  const { port } = await server.run()
  onTestFinished(() => server.close())
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER'
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER'
  return `http://127.0.0.1:${port}`
}

describe('[FILE-1] [FILE-2] [FILE-3] [FILE-4] [FILE-10] [FILE-11] [FILE-12] a bucket', () =>
  fileStoreSuite(async () => openS3Files({ bucket: 'files', region: 'us-east-1', endpoint: await bucket() })))

test('[FILE-5] a store that is away is said so, in time', async () => {
  const files = openS3Files({ bucket: 'files', region: 'us-east-1', endpoint: 'http://127.0.0.1:1' })
  await expect(files.put([Buffer.from('x')])).rejects.toThrow(FilesUnavailable)
  await expect(files.size('0'.repeat(64))).rejects.toThrow(FilesUnavailable)
})

/** A bucket on a server that answers like this; it is given up after a fifth of a second. */
async function bucketThat(answers: RequestListener) {
  const server = createServer(answers).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER'
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER'
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  return openS3Files({ bucket: 'files', region: 'us-east-1', endpoint }, 200)
}

const HASH = '0'.repeat(64)

test('[FILE-5] a server that takes every request and answers none is given up', async () => {
  const files = await bucketThat(() => {})
  await Promise.all(
    [
      files.put([Buffer.from('x')]),
      files.put([Buffer.alloc(5 * 1024 * 1024)]),
      files.size(HASH),
      all(files.read(HASH)),
      listed(files),
      files.remove(HASH, Date.now()),
    ].map((asked) => expect(asked).rejects.toThrow(FilesUnavailable)),
  )
})

test('[FILE-5] a server that falls silent in the middle of a file is given up', async () => {
  const files = await bucketThat((_, response) => {
    response.writeHead(200, { 'Content-Length': '10' })
    response.write('half ')
  })
  const pieces: string[] = []
  const read = async (): Promise<void> => {
    for await (const piece of files.read(HASH)) pieces.push(String(piece))
  }
  await expect(read()).rejects.toThrow(FilesUnavailable)
  expect(pieces).toEqual(['half '])
})

test('[FILE-5] a slow reader is given the whole file', async () => {
  const files = await bucketThat((_, response) => {
    response.writeHead(200, { 'Content-Length': String(1024 * 1024) })
    response.end(Buffer.alloc(1024 * 1024))
  })
  let size = 0
  for await (const piece of files.read(HASH)) {
    if (size === 0) await sleep(400) // longer than the server may take
    size += piece.length
  }
  expect(size).toBe(1024 * 1024)
})
