import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { SECRET } from '../support/server.ts'

/** A token that must not be taken, and what is wrong with it. */
export type Forged = readonly [what: string, token: string]

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const hmac = (text: string, key: string | Buffer, hash = 'sha256'): string =>
  createHmac(hash, key).update(text).digest('base64url')

const seconds = Math.floor(Date.now() / 1_000)
const claims = {
  ...{ sub: 'mallory', org_id: 'acme', role: 'admin', name: 'Mallory', iss: 'lyceum', aud: 'lyceum' },
  ...{ iat: seconds, exp: seconds + 3_600 },
}

/** Signed with the server's own secret: what is wrong with it is what it says. */
const signed = (payload: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, key: string | Buffer = SECRET) => {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${hmac(text, key)}`
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const good = signed(claims)
const [head = '', body = '', signature = ''] = good.split('.')

/** Headers that ask for another way to check, or for another key. */
const HEADERS: readonly (readonly [string, unknown])[] = [
  ...['none', 'None', 'NONE', 'nOnE', '', 'HS384', 'HS512', 'RS256', 'ES256', 'PS256', 'EdDSA', 'hs256', 'HS256 '].map(
    (alg) => [`alg ${JSON.stringify(alg)}`, { alg }] as const,
  ),
  ['alg of another type', { alg: ['HS256'] }],
  ['no alg', { typ: 'JWT' }],
  ['crit', { alg: 'HS256', crit: ['exp'], exp: 1 }],
  ['an empty crit', { alg: 'HS256', crit: [] }],
  ['crit b64', { alg: 'HS256', crit: ['b64'], b64: false }],
  ['no JSON as header', '{"alg":"HS256"'],
  ['a list as header', '["HS256"]'],
  ['alg none twice', '{"alg":"HS256","alg":"none"}'],
]

const odd = (name: string, value: unknown): readonly [string, unknown] => [
  `${name} ${JSON.stringify(value)?.slice(0, 40)}`,
  { ...claims, [name]: value },
]

/** Claims that are not as they must be. */
const CLAIMS: readonly (readonly [string, unknown])[] = [
  ...['other', '', null, 7, ['lyceum'], { lyceum: 1 }, 'Lyceum', ' lyceum'].map((iss) => odd('iss', iss)),
  ...['other', '', null, 7, [], ['other'], { lyceum: 1 }, 'LYCEUM'].map((aud) => odd('aud', aud)),
  ...[seconds - 1, 0, -1, '9999999999', null, 1e99, [seconds + 60], true].map((exp) => odd('exp', exp)),
  ...[seconds + 3_600, '0', [0]].map((nbf) => odd('nbf', nbf)),
  ...[seconds + 600, seconds + 1e9, 1e99, 'now', null, -1].map((iat) => odd('iat', iat)),
  ...['none', 'root', 'system', '', null, ['admin'], 'Admin', 'admin ', 'hub'].map((role) => odd('role', role)),
  ...[
    '',
    null,
    'a.b',
    'acme.ann',
    '../ann',
    'a/b',
    'a b',
    'ann\u0000',
    'x'.repeat(65),
    7,
    ['ann'],
    'a\nb',
    '__proto__\u200b',
  ].map((sub) => odd('sub', sub)),
  ...['', null, 'acme.', ':anonymous', 'a/b', '..', 'x'.repeat(65), ['acme'], 'acme\u0000', '*'].map((org) =>
    odd('org_id', org),
  ),
  ...['name', 'email', 'full_name'].flatMap((name) => [
    odd(name, 'x'.repeat(1_000)),
    odd(name, { a: 1 }),
    odd(name, ['x']),
  ]),
  ['no claims', {}],
  ['a list of claims', [claims]],
  ['null', 'null'],
  ['no JSON', '{"sub":'],
]

/** What is no token of ours by its very text. */
const TEXTS: readonly Forged[] = [
  ['another secret', signed(claims, undefined, 'x'.repeat(32))],
  ['an empty secret', signed(claims, undefined, '')],
  ['a public key as secret', signed(claims, undefined, pem)],
  ['a public key as secret, for RS256', signed(claims, { alg: 'RS256' }, pem)],
  ['a kid that is a path', signed(claims, { alg: 'HS256', kid: '../../../../dev/null' }, '')],
  ['a kid that is a query', signed(claims, { alg: 'HS256', kid: "' UNION SELECT 'x" }, 'x')],
  ['a key of its own', signed(claims, { alg: 'HS256', jwk: { kty: 'oct', k: part('x') } }, 'x')],
  ['an address of keys', signed(claims, { alg: 'HS256', jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' }, 'x')],
  ['no signature', `${head}.${body}.`],
  ['no last dot', `${head}.${body}`],
  ['the claims of another token', `${head}.${part({ ...claims, role: 'admin', sub: 'ada' })}.${signature}`],
  ['a cut signature', good.slice(0, -1)],
  ['a longer signature', `${good}A`],
  ['four parts', `${good}.${signature}`],
  ['five parts, as encrypted', `${head}..${body}.${signature}.x`],
  ['three dots', '...'],
  ['two dots', '..'],
  ['a number', '7'],
  ['JSON', JSON.stringify(claims)],
  ['its header in other letters', `${part({ alg: 'HS256', typ: 'JWT' }).toUpperCase()}.${body}.${signature}`],
  ['padding', `${head}=.${body}=.${signature}=`],
  ['a very long token', `${head}.${'A'.repeat(6_000)}.${signature}`],
  ['a very long signature', `${head}.${body}.${'A'.repeat(6_000)}`],
  ['a participant’s token that is none', `participant.${'!'.repeat(43)}`],
  ['a visitor’s secret', `visitor.${randomBytes(32).toString('base64url')}`],
  ['undefined', 'undefined'],
  ['null', 'null'],
]

/** All of them. Each is the text of a header, too: no line breaks. */
export const FORGED: readonly Forged[] = [
  ...HEADERS.map(([what, header]): Forged => [what, signed(claims, header)]),
  ...HEADERS.map(([what, header]): Forged => [`${what}, unsigned`, `${part(header)}.${body}.`]),
  ...CLAIMS.map(([what, payload]): Forged => [what, signed(payload)]),
  ...TEXTS,
]
