import { fileTypeFromBuffer } from 'file-type'

/** What may be sent, by its extension: what its bytes are called by what looks at them, and over HTTP. */
const KINDS: Readonly<Record<string, { readonly found: readonly (string | undefined)[]; readonly type: string }>> = {
  txt: { found: [undefined], type: 'text/plain; charset=utf-8' },
  pdf: { found: ['pdf'], type: 'application/pdf' },
  png: { found: ['png'], type: 'image/png' },
  jpg: { found: ['jpg'], type: 'image/jpeg' },
  jpeg: { found: ['jpg'], type: 'image/jpeg' },
  gif: { found: ['gif'], type: 'image/gif' },
  doc: { found: ['cfb'], type: 'application/msword' },
}
const DOTTED = Object.keys(KINDS)
  .map((one) => `.${one}`)
  .join(', ')

const writtenExtension = (name: string): string => /\.([^.]*)$/.exec(name)?.[1] ?? ''
const extensionOf = (name: string): string => writtenExtension(name).toLowerCase()

/** What is wrong with a name, before anything is known of the bytes; null = nothing. */
export const nameProblem = (name: string): string | null =>
  KINDS[extensionOf(name)] ? null : `file_name must end in one of ${DOTTED}, got ${JSON.stringify(name.slice(-40))}`

/** Whether the bytes are what the extension says; null = they are. */
export async function contentProblem(name: string, bytes: Uint8Array): Promise<string | null> {
  const extension = extensionOf(name)
  const kind = KINDS[extension]
  if (!kind) return nameProblem(name)
  if (bytes.byteLength === 0) return 'the file is empty'
  const found = await fileTypeFromBuffer(bytes)
  const isIt = extension === 'txt' ? isText(bytes) : kind.found.includes(found?.ext)
  if (isIt) return null
  return `the bytes must be those of a .${extension} file, they are ${found ? `those of a .${found.ext} file` : 'none'}`
}

/** Text that begins like another kind of file is text all the same. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

export const contentTypeOf = (name: string): string => KINDS[extensionOf(name)]?.type ?? 'application/octet-stream'

const MAX_NAME = 200
/** Controls, and what turns the direction of text around: `gpj.exe` must not look like `exe.jpg`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** The name without its path and without what could deceive; with its extension, and never empty. */
export function cleanName(name: string): string {
  const base = name.normalize('NFC').replace(UNSAFE, '').split(/[/\\]/).at(-1) ?? ''
  const extension = writtenExtension(base)
  const stem = base
    .slice(0, base.length - extension.length - 1)
    .replace(/^[\s.]+/, '')
    .trim()
  return `${[...stem].slice(0, MAX_NAME - extension.length - 1).join('') || 'file'}.${extension}`
}
