import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CryptoKey } from 'jose'
import { systemClock } from '../../clock.ts'
import type { KeyConfig } from '../../config.ts'
import { keySetAt, type ProviderKeys, type ProviderKeysOptions, providerKeys } from './provider-keys.ts'

/**
 * Keys that tokens are checked with. Only a secret can also sign: an identity provider keeps its private keys to
 * itself.
 */
export type Keys =
  | {
      readonly kind: 'secret'
      readonly key: CryptoKey
      /** The same secret for Node's own HMAC. */
      readonly hmacKey: KeyObject
      readonly algorithms: readonly string[]
    }
  | { readonly kind: 'provider'; readonly provider: ProviderKeys; readonly algorithms: readonly string[] }

const MIN_SECRET_BYTES = 32

/**
 * Opens the keys that the configuration names; makes the secret file on the first start. Throws with what to do when it
 * cannot. An identity provider is asked when the first token comes, or when `start` is called: it may be away now.
 */
export async function openKeys(config: KeyConfig, onAsked?: ProviderKeysOptions['onAsked']): Promise<Keys> {
  switch (config.kind) {
    case 'secret':
      return secretKeys(config.secret)
    case 'own-secret':
      return secretKeys(await ownSecret(config.directory))
    case 'jwks':
      return {
        kind: 'provider',
        provider: providerKeys({
          ask: keySetAt(config.url),
          clock: systemClock,
          elapsed: systemClock.elapsed,
          onAsked,
        }),
        // Never an HS… here: its secret would be the provider's public key, which everybody has (RFC 8725, section
        // 3.1).
        algorithms: [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'Ed25519',
        ],
      }
  }
}

/** The key is imported once, because jose would import a bare secret again for every token. */
async function secretKeys(secret: string): Promise<Keys> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [
    'sign',
    'verify',
  ])
  return { kind: 'secret', key, hmacKey: createSecretKey(secret, 'utf8'), algorithms: ['HS256'] }
}

/**
 * The secret in `<directory>/<name>`, made on the first call: 384 random bits as text, readable by its owner only.
 * Written aside, synced and linked into place, so that a crash leaves no half secret and of two processes that start at
 * once both use the same.
 */
export async function ownSecret(
  directory: string,
  name: 'jwt-secret' | 'analytics-secret' = 'jwt-secret',
): Promise<string> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, name)
  const known = await readSecret(path)
  if (known !== null) return known

  const aside = `${path}.${randomBytes(8).toString('hex')}`
  const file = await open(aside, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(48).toString('base64url')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await link(aside, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error // another process was first: its secret counts
  })
  await unlink(aside)
  await syncDirectory(directory)
  const made = await readSecret(path)
  if (made === null) throw new Error(`${path} was made and is gone again: is something else cleaning ${directory}?`)
  return made
}

async function readSecret(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new Error(
      `${path} holds a secret of this installation and must be readable by this process: ${error.message}`,
    )
  })
  const secret = text?.trim() ?? null
  if (secret !== null && Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    const bytes = Buffer.byteLength(secret)
    throw new Error(
      `${path} must hold at least ${MIN_SECRET_BYTES} bytes, has ${bytes}: restore it, ` +
        'or delete it to get a new one (a new jwt-secret ends all sessions)',
    )
  }
  return secret
}

/**
 * Without it a power loss may forget the name of a file whose bytes are safe. Not every file system can; those are left
 * alone.
 */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => null)
  try {
    await handle?.sync().catch(() => undefined)
  } finally {
    await handle?.close()
  }
}
