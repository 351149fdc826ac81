import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../src/config.ts'
import { strangers } from '../src/config-strangers.ts'
import { VARIABLES } from '../src/config-variables.ts'

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('defaults', () => {
  test('an empty environment is a complete configuration', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      dataDirectory: './data',
      eventStoreUrl: null,
      redisUrl: null,
      keys: { kind: 'own-secret', directory: './data' },
      jwtIssuer: 'lyceum',
      jwtAudience: 'lyceum',
      allowedOrigins: [],
      disconnectGraceMs: 15_000,
      lessonOverrunMinutes: 30,
      organisations: 'open',
      lessonCallOffHours: 24,
      onStaffGone: 'close',
      queueChats: 20_000,
      queueBytes: 32 * 1024 * 1024,
      chatWriting: { perSecond: 4_194_304 / 60, burst: 8_388_608 },
      allowEio3: true,
      leaseMs: 30_000,
      timeZone: 'UTC',
      mixpanel: null,
      files: { kind: 'directory', path: 'data/files' },
      mail: null,
      logLevel: 'info',
      ratePerPerson: { perSecond: 100, burst: 200 },
      ratePerAddress: { perSecond: 20_000, burst: 40_000 },
      newPeoplePerAddress: { perSecond: 1, burst: 1_000 },
      newParticipantsPerAddress: { perSecond: 20, burst: 4_000 },
      connectionsPerAddress: 6_000,
      metricsToken: null,
      allowedHosts: null,
      trustProxy: null,
      roomIdleMs: 30_000,
    })
  })
  test('an empty value means unset, as compose files write it', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '', JWT_SECRET: ' ' })).toEqual(readConfig({}))
  })
  test('variables of other programs are ignored', () => {
    expect(problemsOf({ PATH: '/bin', HOME: '/root', NODE_ENV: 'test' })).toEqual([])
  })
})

describe('values', () => {
  test('a KurrentDB address is translated for the client library', () => {
    expect(readConfig({ EVENTSTORE_URL: 'kurrentdb+discover://a:1,b:2?tls=false' }).eventStoreUrl).toBe(
      'esdb+discover://a:1,b:2?tls=false',
    )
  })
  test('files are in the data directory, in another one, or in a bucket', () => {
    const filesIn = (FILES_URL: string) => readConfig({ FILES_URL }).files
    expect(filesIn('file:///srv/files')).toEqual({ kind: 'directory', path: '/srv/files' })
    expect(filesIn('s3://files?endpoint=http://127.0.0.1:9000')).toEqual({
      ...{ kind: 's3', bucket: 'files', region: 'us-east-1', endpoint: 'http://127.0.0.1:9000' },
    })
    expect(filesIn('s3://files?region=eu-central-1')).toMatchObject({ region: 'eu-central-1', endpoint: null })
    expect(filesIn('s3://files?endpoint=https://host/under/a/path')).toMatchObject({
      endpoint: 'https://host/under/a/path',
    })
    expect(filesIn('file:///srv/two%20words')).toEqual({ kind: 'directory', path: '/srv/two words' })
  })
  test('a mail server and a sender go together', () => {
    const mail = { SMTP_URL: 'smtp://u:secret@mail.example:587', SMTP_FROM: 'us@example.org' }
    expect(readConfig(mail).mail).toEqual({ url: mail.SMTP_URL, from: mail.SMTP_FROM })
    for (const one of [{ SMTP_URL: mail.SMTP_URL }, { SMTP_FROM: mail.SMTP_FROM }]) {
      expect(problemsOf(one)).toEqual([expect.stringMatching(/SMTP_URL and SMTP_FROM/)])
      expect(problemsOf(one).join()).not.toContain('secret')
    }
  })
  test('origins are normalised', () => {
    const origins = ['https://app.example.org', 'http://localhost:8080']
    expect(readConfig({ ALLOWED_ORIGINS: 'https://App.example.org/, http://localhost:8080' }).allowedOrigins).toEqual(
      origins,
    )
    expect(readConfig({ ALLOWED_ORIGINS: '*' }).allowedOrigins).toEqual(['*'])
  })
  test('a Mixpanel host means https, an origin means itself', () => {
    const apiUrl = (host: string) => readConfig({ MIXPANEL_TOKEN: 't', MIXPANEL_HOST: host }).mixpanel?.apiUrl
    expect(apiUrl('api-eu.mixpanel.com')).toBe('https://api-eu.mixpanel.com')
    expect(apiUrl('http://127.0.0.1:8080/')).toBe('http://127.0.0.1:8080')
  })
  test('an identity provider takes the place of our own secret', () => {
    expect(readConfig({ JWKS_URL: 'https://id.test/jwks' }).keys).toEqual({ kind: 'jwks', url: 'https://id.test/jwks' })
  })
  test('proxies are counted or named', () => {
    expect(readConfig({ TRUST_PROXY: '2' }).trustProxy).toEqual({ kind: 'hops', hops: 2 })
    expect(readConfig({ TRUST_PROXY: '10.0.0.7, fd00::/8' }).trustProxy).toEqual({
      kind: 'networks',
      networks: [
        { address: '10.0.0.7', prefix: 32, family: 'ipv4' },
        { address: 'fd00::', prefix: 8, family: 'ipv6' },
      ],
    })
  })
  test.each([
    ['PORT', ['0', '65535'], ['65536', '-1', '3.5', '0x10', 'abc', '1e3']],
    ['HOST', ['::1', '0.0.0.0', 'lyceum.local'], ['http://a', 'a b', 'a:80']],
    ['REDIS_URL', ['redis://h:1', 'rediss://u:p@h/0'], ['h:6379', 'http://h']],
    ['EVENTSTORE_URL', ['esdb://h:2113?tls=false'], ['http://h:2113', 'esdb://']],
    ['JWKS_URL', ['http://id/jwks'], ['id/jwks', 'file:///etc/keys']],
    [
      'ALLOWED_ORIGINS',
      ['*', 'https://a:8', 'capacitor://localhost', 'ionic://localhost'],
      ['own', 'example.org', 'https://a/path', 'capacitor://localhost/path', 'file:///', 'mailto:a@b', ','],
    ],
    ['ALLOWED_HOSTS', ['*', 'a.example, *.b.example,10.0.0.7, ::1'], ['https://a', 'a:80', 'a/b', '*a', ',']],
    ['TRUST_PROXY', ['0', '2', '10.0.0.7, 172.16.0.0/12,fd00::/8'], ['-1', 'yes', '10.0.0.0/33', 'fd00::/129', '1,']],
    ['METRICS_TOKEN', ['0123456789abcdef'], ['short', 'with spaces in it, and long']],
    ['CONNECTIONS_PER_ADDRESS', ['1'], ['0']],
    ['NEW_PEOPLE_PER_ADDRESS', ['1'], ['0']],
    ['LYCEUM_TIME_ZONE', ['Asia/Ho_Chi_Minh'], ['Mars/Olympus']],
    ['LOG_LEVEL', ['debug'], ['loud']],
    ['RATE_PER_PERSON', ['1'], ['0', 'many']],
    ['DISCONNECT_GRACE_MS', ['0'], ['-5', '15s']],
    // contract 000: a dead server leaves nobody alive for more than 60 s
    ['LEASE_MS', ['1000', '60000'], ['999', '60001']],
    ['FILES_URL', ['file:///srv/files', 's3://bucket?region=eu-central-1'], ['bucket', 'http://a', 's3:']],
    ['MIXPANEL_HOST', ['api.mixpanel.com'], ['ftp://a', 'a/b']],
  ])('%s takes what it says and refuses the rest', (name, good, bad) => {
    for (const value of good) expect(problemsOf({ [name]: value }), value).toEqual([])
    for (const value of bad) expect(problemsOf({ [name]: value }), value).toHaveLength(1)
  })
})

describe('errors', () => {
  test('say what was expected and what came', () => {
    expect(problemsOf({ PORT: 'x' })).toEqual(['PORT must be a whole number from 0 (any free port) to 65535, got "x"'])
  })
  test.each([
    ['file://srv/x', /got "file:\/\/srv\/x": "srv" is read as a machine: write file:\/\/\/srv\/x$/],
    ['file:srv/x', /: write file:\/\/ and the whole path/],
    ['file:///srv/a%2Fb', /: this is no path .*: write a \/ as it is$/],
    ['file:///srv?region=x', /: write %3F for a \?/],
    ['file:///srv#x', /: write %23 for a #/],
    ['srv/x', /: this is no address: begin with/],
    ['http://srv/x', /: nothing is kept at http:: begin with/],
    ['s3:', /: the name of the bucket is missing: write/],
    ['s3://a%20b', /"a%20b" is no name of a bucket: /],
    ['s3://bucket:9000', /: a bucket has no port: name the server as endpoint=/],
    ['s3://bucket/folder', /: a bucket is used as a whole: take "\/folder" away$/],
    ['s3://bucket?regoin=eu-central-1', /: "regoin" is no parameter: correct it or take it away \(region, endpoint\)$/],
    ['s3://bucket?region=a&region=b', /: region is there twice: take one away$/],
    ['s3://bucket?region=', /: region is empty: give it a value or take it away$/],
    ['s3://bucket?region=eu/central', /: "eu\/central" is no region: write/],
    ['s3://bucket?endpoint=127.0.0.1:9000', /: an endpoint is like http:\/\/127\.0\.0\.1:9000/],
    ['s3://bucket?endpoint=ftp://h', /: an endpoint is like/],
    ['s3://bucket?endpoint=http://h?x=1', /: an endpoint is like/],
  ])('[FILE-13] %s is refused with what to do', (FILES_URL, advice) => {
    expect(problemsOf({ FILES_URL })).toEqual([
      expect.stringMatching(/^FILES_URL must be a directory like .*, or a bucket like .*, got "/),
    ])
    expect(problemsOf({ FILES_URL })[0]).toMatch(advice)
  })
  test('[FILE-13] credentials in FILES_URL are refused and not shown', () => {
    for (const FILES_URL of [
      's3://key:hunter2@bucket',
      's3://key:hun/hunter2@bucket',
      's3://bucket?endpoint=http://key:hunter2@h',
    ]) {
      expect(problemsOf({ FILES_URL })).toHaveLength(1)
      expect(problemsOf({ FILES_URL }).join()).not.toContain('hunter2')
    }
  })
  test('name every wrong variable at once', () => {
    const problems = problemsOf({ PORT: 'x', LOG_LEVEL: 'loud' })
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['PORT', 'LOG_LEVEL'])
  })
  test('never show a secret or an address that may hold one', () => {
    const text = problemsOf({
      JWT_SECRET: 'hunter2',
      REDIS_URL: 'http://:hunter2@h',
      EVENTSTORE_URL: 'http://a:hunter2@h',
    }).join()
    expect(text).not.toContain('hunter2')
    expect(text).toContain(
      'JWT_SECRET must be at least 32 bytes long (openssl rand -base64 48 makes one), got a value of 7 bytes',
    )
  })
  test('both families of keys at once are refused', () => {
    const problems = problemsOf({ JWT_SECRET: 'x'.repeat(32), JWKS_URL: 'https://id.test/jwks' })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('unset JWT_SECRET')
  })
})

describe('unknown LYCEUM_… variables', () => {
  test('stop nothing: who runs Lyceum may keep some of its own', () => {
    expect(problemsOf({ LYCEUM_HARNESS_RUN: '7' })).toEqual([])
  })
  test('are named in a warning, with the nearest variable that is ours', () => {
    expect(strangers({ LYCEUM_TIMEZONE: 'UTC' })[0]).toContain('did you mean LYCEUM_TIME_ZONE?')
    expect(strangers({ LYCEUM_PORT: '1' })[0]).toContain('did you mean PORT?')
    expect(strangers({ LYCEUM_ENTIRELY_DIFFERENT: '1' })[0]).toContain('npm start -- --help')
  })
  test('ours and other programs’ need no warning', () => {
    expect(strangers({ LYCEUM_DATA: '/d', PATH: '/bin' })).toEqual([])
  })
})

test('every variable is described for the help', () => {
  for (const [name, { description, expects }] of Object.entries(VARIABLES)) {
    expect(description, name).toMatch(/^[A-Z0-9].+[^.]$/)
    expect(expects, name).not.toBe('')
  }
})
