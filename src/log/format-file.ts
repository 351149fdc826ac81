import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './sync-directory.ts'

export const FORMAT = 2
/** The file of format 1. */
export const OLD = 'log.mdb'

/** `none`: there is no such file. `spoilt`: it is not as it was written. */
export type FoundFormat = number | 'none' | 'spoilt'

const PATH = 'format'
const said = (format: number): string => `Lyceum log, format ${format}`
const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0')

/** What the file `format` of a log's directory says. */
export function readFormat(directory: string): FoundFormat {
  let text: string
  try {
    text = readFileSync(join(directory, PATH), 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none'
    throw error
  }
  const [, sentence = '', format = '', sum] = /^(Lyceum log, format (\d+)) ([0-9a-f]{8})\n$/.exec(text) ?? []
  return sum !== undefined && sumOf(sentence) === sum ? Number(format) : 'spoilt'
}

/** Durable when it resolves. */
export async function writeFormat(directory: string): Promise<void> {
  const path = join(directory, PATH)
  const file = await open(`${path}.new`, 'w')
  try {
    await file.writeFile(`${said(FORMAT)} ${sumOf(said(FORMAT))}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(path)
}

/**
 * Throws a sentence when there is no log in the directory, or none that this release can read. Otherwise undefined, or
 * what is wrong with the file that says so.
 */
export function expectReadable(directory: string): string | undefined {
  if (existsSync(join(directory, OLD)))
    throw new Error(`the log in ${directory} has format 1: start the server once, which converts it`)
  const format = existsSync(directory) ? readFormat(directory) : 'none'
  expectFormat(format, directory)
  if (format === FORMAT) return undefined
  if (!existsSync(directory) || !readdirSync(directory).some((name) => name.endsWith('.seg')))
    throw new Error(`there is no log in ${directory}: check LYCEUM_DATA, or start the server once to create it`)
  return remade(directory)
}

/** Throws a sentence for a format of another release. */
export function expectFormat(format: FoundFormat, directory: string): void {
  if (typeof format === 'number' && format !== FORMAT)
    throw new Error(
      `the log in ${directory} has format ${format}, this release reads format ${FORMAT}: ` +
        'use the release that wrote it',
    )
}

export const remade = (directory: string): string =>
  `the file "format" in ${directory} is not as it was written, or missing: it is made again when the server starts`
