import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** A service of a compose file, as far as tests look at it. */
export interface Service {
  readonly image?: string
  readonly build?: string
  readonly restart?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly networks?: { readonly default: { readonly ipv4_address: string } }
}
export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, object>>
}

/** A compose file of the repository's root. */
export const composeIn = (file: string): Compose =>
  parse(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'), { merge: true }) as Compose

/** `${NAME:-default}` and `${NAME:?why}`, as compose reads them. */
function interpolated(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string | undefined, rest: string) => {
    const set = env[name] ?? ''
    if (set !== '') return set
    if (kind === '?') throw new Error(`${name}: ${rest}`)
    return rest ?? ''
  })
}
export const environmentOf = (
  { environment = {} }: Service,
  env: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolated(value, env)]))
