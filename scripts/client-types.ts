import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { clientTypes } from './client-types-text.ts'

/** Writes the types of the typed client, `client/src/events.ts`, from what the server publishes. */
const path = join(import.meta.dirname, '../client/src/events.ts')
const before = await readFile(path, 'utf8').catch(() => '')
const text = clientTypes()
await writeFile(path, text)
console.log(text === before ? 'client/src/events.ts is as it was' : 'client/src/events.ts is written anew')
