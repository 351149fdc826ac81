import { fileTypeFromBuffer } from 'file-type'

/** What may be sent, by its extension: what its bytes are called by what looks at them, and over HTTP. */
const KINDS: ReadonlyMap<string, { readonly found: readonly (string | undefined)[]; readonly type: string }> = new Map([
  ['txt', { found: [undefined], type: 'text/plain; charset=utf-8' }],
  ['pdf', { found: ['pdf'], type: 'application/pdf' }],
  ['png', { found: ['png', 'apng'], type: 'image/png' }],
  ['jpg', { found: ['jpg'], type: 'image/jpeg' }],
  ['jpeg', { found: ['jpg'], type: 'image/jpeg' }],
  ['gif', { found: ['gif'], type: 'image/gif' }],
  ['doc', { found: ['cfb'], type: 'application/msword' }],
])
const DOTTED = [...KINDS.keys()].map((one) => `.${one}`).join(', ')

const extensionOf = (name: string): string => (/\.([^.]*)$/.exec(name)?.[1] ?? '').toLowerCase()

/** What is wrong with a name, before anything is known of the bytes; null = nothing. */
export const nameProblem = (name: string): string | null =>
  KINDS.has(extensionOf(name)) ? null : `file_name must end in one of ${DOTTED}, got ${JSON.stringify(name.slice(-40))}`

/** Whether the bytes are what the extension says; null = they are. */
export async function contentProblem(name: string, bytes: Uint8Array): Promise<string | null> {
  const extension = extensionOf(name)
  const kind = KINDS.get(extension)
  if (!kind) return nameProblem(name)
  if (bytes.byteLength === 0) return 'the file is empty'
  const found = await fileTypeFromBuffer(bytes)
  const isIt = extension === 'txt' ? isText(bytes) : kind.found.includes(found?.ext)
  if (isIt) return null
  return `the bytes must be those of a .${extension} file, they are ${found ? `those of a .${found.ext} file` : 'none'}`
}

/** Text that begins like another kind of file is text all the same; U+0000 is a character like others. */
function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

export const contentTypeOf = (name: string): string => KINDS.get(extensionOf(name))?.type ?? 'application/octet-stream'
