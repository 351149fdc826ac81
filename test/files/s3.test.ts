import S3rver from 's3rver'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FilesUnavailable } from '../../src/files/file-store.ts'
import { openS3Files } from '../../src/files/s3.ts'
import { freshData } from '../support/data.ts'
import { fileStoreSuite } from './suite.ts'

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
