import { access, constants, mkdir, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import type { Config } from '../config.ts'
import { listen } from '../gateway/http/listen.ts'

/**
 * Looks at what a start needs before anything is recorded: the first start prints log-ins that are stored nowhere else,
 * and they would be lost with a start that fails after making them. Somebody may still take the port in between; then
 * the printed log-ins are good all the same. Throws a sentence for people.
 */
export async function checkPreconditions({ host, port, dataDirectory }: Config): Promise<void> {
  if (port !== 0) {
    const probe = createServer()
    await listen(probe, host, port)
    await new Promise((resolve) => probe.close(resolve))
  }
  await makeWritable(dataDirectory)
}

async function makeWritable(directory: string): Promise<void> {
  const must = `LYCEUM_DATA must be a directory that this process can write to, got ${JSON.stringify(directory)}`
  try {
    await make(directory)
    if (!(await stat(directory)).isDirectory()) throw new Error('it is a file')
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(`${must}: ${reasonOf(error)}; set it to another directory, or change its owner`)
  }
}

/**
 * Step by step and not by `recursive`, which in Node 26 never comes back from a file system that makes no directories
 * (/proc).
 */
async function make(directory: string): Promise<void> {
  try {
    await mkdir(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error
    await make(dirname(directory))
    await mkdir(directory)
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOTDIR':
      return 'a part of its path is a file'
    case 'ENOENT':
      return 'it cannot be made there'
    default:
      return message
  }
}
