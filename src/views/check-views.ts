import { type Database, open } from 'lmdb'
import { mustBeWritten, parsed } from './embedded.ts'

/**
 * Reads all of a directory of embedded views, in a process of its own: in a file that was cut or garbled lmdb reads
 * where nothing is, and ends the process that it is in. Exit code 0: every row is what was written, and every entry of
 * an index leads to one.
 */
function check(path: string): void {
  const root = open({ path, maxDbs: 4, readOnly: true })
  const rows = root.openDB<string, string>({ name: 'rows', encoding: 'string' })
  const index = root.openDB<string, string>({ name: 'index', encoding: 'string' })
  const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
  /** Tables that are being removed, piece by piece. */
  const doomed = new Set<string>()
  for (const { key } of meta.getRange()) if (key.startsWith('doomed/')) doomed.add(key.slice('doomed/'.length))
  every(rows, (place, text) => void parsed(place, text))
  every(index, (entry, checksum) => {
    mustBeWritten(entry, checksum)
    const table = entry.slice(0, entry.indexOf('/'))
    const row = `${table}/${entry.slice(entry.indexOf('\t') + 1)}`
    if (!doomed.has(table) && !rows.doesExist(row)) throw new Error('an entry of an index leads nowhere')
  })
}

/** All that is in there comes up, in its order. */
function every(db: Database<string, string>, see: (key: string, value: string) => void): void {
  let [count, last] = [0, '']
  for (const { key, value } of db.getRange()) {
    if (count++ > 0 && key <= last) throw new Error('a tree has lost its order')
    last = key
    see(key, value)
  }
  const { entryCount } = db.getStats() as { readonly entryCount: number }
  if (count !== entryCount) throw new Error(`a tree has ${count} entries, and should have ${entryCount}`)
}

check(process.argv[2] ?? '')
process.exit(0) // not by lmdb's own clean-up
