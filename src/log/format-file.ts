import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './sync-directory.ts'

export const FORMAT = 2

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
