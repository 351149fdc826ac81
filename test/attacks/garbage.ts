import type { Dice } from './dice.ts'

/** What a client may send at its best, to be spoilt. */
export interface Corpus {
  /** Packets of Socket.IO, with and without ack, of every event. */
  readonly packets: readonly string[]
  /** `METHOD path` of every route. */
  readonly routes: readonly string[]
}

const ODD_TEXTS = [
  ...[
    '0',
    '1',
    '2',
    '2probe',
    '3',
    '4',
    '5',
    '6',
    '40',
    '41',
    '42',
    '43',
    '44',
    '45',
    '46',
    '42[]',
    '42{}',
    '42[null]',
  ],
  ...['42[[]]', '42["connect"]', '42["disconnect"]', '42["disconnecting"]', '42["newListener",1]', '42["error",{}]'],
  ...[
    '42["removeListener"]',
    '42["__proto__",{}]',
    '42["constructor"]',
    '420[]',
    '42-1["staff_join"]',
    '4299999999999["x"]',
  ],
  ...[
    '40/admin,',
    '40/ws/messages,',
    '40/ws/messages,{}',
    '41/nowhere,',
    '42/nowhere,["x"]',
    '40{"token":1}',
    '40[]',
    '40{',
  ],
  ...[
    '451-["visitor_msg",{"_placeholder":true,"num":0}]',
    '45999999-["x"]',
    '450-["x"]',
    '461-0["x"]',
    '43[]',
    '430[1,2,3]',
  ],
  ...['44', '44{"message":"x"}', 'b4AAAA', '\u001e', '\u0000', '', ' ', '\ufeff42["x"]', '4\u00002["x"]'],
]
const ODD_VALUES = [
  ...['null', 'true', '-1', '0', '1e308', '1e999', '-0', '9007199254740993', '99999999999999999999999999', '0.1', '""'],
  ...[
    '"\\u0000"',
    '"\\ud800"',
    '"../../etc/passwd"',
    '"__proto__"',
    '[]',
    '{}',
    '[[[[[[]]]]]]',
    '{"__proto__":{"admin":true}}',
  ],
  ...[
    '{"toString":1}',
    '{"length":-1}',
    '{"then":"x"}',
    '{"toJSON":"x"}',
    '{"_placeholder":true,"num":0}',
    '"x".constructor',
  ],
]

/**
 * A payload of one frame, from right to noise. Most is such that the connection goes on, so that what comes behind it
 * is read, too.
 */
function spoiltPacket(chance: Dice, { packets }: Corpus): string | Buffer {
  const how = chance.next()
  const packet = chance.pick(packets)
  if (how < 0.45) return packet.replace(/:("[^"]*"|\d+|true|false|null)/, () => `:${chance.pick(ODD_VALUES)}`)
  if (how < 0.6) return `42${chance.below(1e6)}${packet.slice(packet.indexOf('['))}`
  if (how < 0.9) return packet
  if (how < 0.92) return deep(chance)
  if (how < 0.96) return flipped(chance, packet)
  if (how < 0.97) return packet.slice(0, chance.below(60))
  if (how < 0.975) return chance.bytes(chance.below(80))
  return chance.pick(ODD_TEXTS)
}

function flipped(chance: Dice, text: string): string {
  const characters = [...text]
  for (let n = 1 + chance.below(3); n > 0; n--)
    characters[chance.below(characters.length)] = String.fromCharCode(chance.below(chance.next() < 0.9 ? 128 : 0xffff))
  return characters.join('')
}

const deep = (chance: Dice): string => {
  const depth = chance.below(2_000)
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  const inner = chance.next() < 0.5 ? `1${close.repeat(depth)}` : ''
  return `42["visitor_msg",${open.repeat(depth)}${inner}]`
}

/** One frame of a WebSocket as bytes; now and then one that the protocol forbids. */
export function spoiltFrame(chance: Dice, corpus: Corpus, frame: (payload: string | Uint8Array) => Buffer): Buffer {
  const made = frame(spoiltPacket(chance, corpus))
  if (chance.next() < 0.99) return made
  const spoilt = Buffer.from(made)
  switch (chance.below(4)) {
    case 0: // another opcode, reserved bits, a message that goes on
      spoilt[0] = chance.below(256)
      return spoilt
    case 1: // without a mask, or with another length
      spoilt[1] = chance.below(256)
      return spoilt
    case 2:
      return spoilt.subarray(0, chance.below(spoilt.length))
    default:
      return chance.bytes(20)
  }
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'get', '']
const HEADERS = [
  ...[
    'Content-Length: -1',
    'Content-Length: 5\r\nContent-Length: 6',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: x',
  ],
  ...[
    'Content-Length: 3\r\nTransfer-Encoding: chunked',
    'Expect: 100-continue',
    'Upgrade: h2c',
    'Connection: close, upgrade',
  ],
  ...['Content-Type: application/json', 'Content-Type: \u0001', 'Authorization: Bearer', 'Authorization: Basic eDp4'],
  ...[
    'Host: evil.example',
    'X-Forwarded-For: 1.2.3.4, ::1',
    'Origin: null',
    'Cookie: a=b',
    'Range: bytes=0-1,5-',
    ' folded: x',
  ],
  ...[
    'Idempotency-Key: x',
    'Last-Event-ID: -1',
    'Accept-Encoding: identity;q=0',
    'no colon',
    ': no name',
    'If-None-Match: *',
  ],
]
const PATHS = [
  ...[
    '/',
    '//',
    '/../../etc/passwd',
    '/%00',
    '/%',
    '/%ff',
    '/api/v1/chats/%2e%2e%2f',
    '/socket.io',
    '/socket.io/',
    '*',
    'x',
  ],
  ...['/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=3&transport=polling', '/socket.io/?EIO=9&transport=x'],
  ...[
    '/socket.io/?EIO=4&transport=polling&sid=x',
    '/socket.io/?EIO=4&transport=websocket&sid=',
    '/metrics?x',
    '/livez/..',
  ],
  ...[
    '/api/v1/users/stream/x',
    '/api/v1/notices?after=x&after=y',
    `/${'a'.repeat(9_000)}`,
    'http://evil.example/livez',
  ],
]

/** One request over HTTP, as bytes. */
export function spoiltRequest(chance: Dice, { routes }: Corpus, host: string, token: string): string | Buffer {
  const [method = '', route = ''] = chance.pick(routes).split(' ')
  const isOurs = chance.next() < 0.6
  const line = isOurs
    ? `${method} ${route.replace(/\{.+?\}/g, () => chance.pick(['1', 'x', '%00', '..', '99999999999']))}`
    : `${chance.pick(METHODS)} ${chance.pick(PATHS)}`
  const authorization = chance.next() < 0.7 ? `Authorization: Bearer ${token}\r\n` : ''
  const more = chance.next() < 0.4 ? `${chance.pick(HEADERS)}\r\n` : ''
  const body = chance.next() < 0.5 ? spoiltBody(chance) : ''
  const length = body !== '' && chance.next() < 0.8 ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ''
  const type = body === '' ? '' : 'Content-Type: application/json\r\n'
  const version = chance.next() < 0.97 ? 'HTTP/1.1' : chance.pick(['HTTP/1.0', 'HTTP/9.9', 'HTCPCP/1.0', ''])
  const text = `${line} ${version}\r\nHost: ${host}\r\n${authorization}${type}${length}${more}\r\n${body}`
  return chance.next() < 0.95 ? text : Buffer.concat([chance.bytes(10), Buffer.from(text)])
}

const spoiltBody = (chance: Dice): string =>
  chance.pick([
    ...[
      '{',
      '[]',
      'null',
      '""',
      '{"title":',
      '\u0000',
      '{"title":"x","title":["y"]}',
      '{"__proto__":{"role":"admin"}}',
    ],
    `{"title":${chance.pick(ODD_VALUES)},"user_id":${chance.pick(ODD_VALUES)}}`,
    `${'['.repeat(500)}${']'.repeat(500)}`,
  ])
