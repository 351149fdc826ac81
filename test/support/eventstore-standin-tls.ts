import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = promisify(execFile)

/** What a server shows, and the file that says whom to trust. */
export interface Certificate {
  readonly key: Buffer
  readonly chain: Buffer
  /** PEM of the authority that signed it, for `tlsCAFile`. */
  readonly caFile: string
}

/** A certificate authority of its own, in a directory that goes with it. */
export interface Authority {
  readonly caFile: string
  /** For these addresses and names (`IP:127.0.0.1`, `DNS:localhost`). */
  certificate(...names: readonly string[]): Promise<Certificate>
  remove(): Promise<void>
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

export async function makeAuthority(): Promise<Authority> {
  const directory = await mkdtemp(join(tmpdir(), 'lyceum-ca-'))
  const at = (name: string): string => join(directory, name)
  /** Makes `<name>.key` and `<name>.crt`; a configuration of our own, because that of the machine adds to it. */
  const make = async (name: string, extensions: string, ...signed: readonly string[]): Promise<void> => {
    const text = `[req]\ndistinguished_name=none\nx509_extensions=its\n[none]\n[its]\n${extensions}\n`
    await writeFile(at(`${name}.cnf`), text)
    const files = ['-config', at(`${name}.cnf`), '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)]
    await openssl('openssl', ['req', '-x509', ...KEY, '-subj', `/CN=${name} of the tests`, ...files, ...signed])
  }
  await make('ca', 'basicConstraints=critical,CA:TRUE')
  const caFile = at('ca.crt')
  let made = 0
  return {
    caFile,
    async certificate(...names) {
      const name = `node-${made++}`
      const extensions = `basicConstraints=critical,CA:FALSE\nsubjectAltName=${names.join(',')}`
      await make(name, extensions, '-CA', caFile, '-CAkey', at('ca.key'))
      return { key: await readFile(at(`${name}.key`)), chain: await readFile(at(`${name}.crt`)), caFile }
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
