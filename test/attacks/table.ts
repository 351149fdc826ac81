import type { Attacking } from './attacking.ts'
import * as calls from './by-calls.ts'
import * as chats from './by-chats.ts'
import * as connections from './by-connections.ts'
import * as http from './by-http.ts'

/** One attack: what it does for some seconds, and how many do it at once. */
export interface Attack {
  readonly name: string
  readonly what: string
  readonly attackers: number
  readonly run: (it: Attacking) => Promise<void>
  /** A flood of what is only refused: of it honest people may notice least. */
  readonly isRefused?: true
}

const refused = { isRefused: true } as const

/** In the order of the whole run. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'queue',
    what: 'visitors without accounts fill the queue with 512 KiB each',
    attackers: 32,
    run: chats.queue,
  },
  {
    name: 'staff',
    what: 'staff connect on such a queue, half of them do not read',
    attackers: 32,
    run: chats.queueAndStaff,
  },
  { name: 'refusals', what: 'refused subscribeToCourse', attackers: 20, run: calls.refusedSubscriptions, ...refused },
  { name: 'unknown', what: 'events that nobody knows', attackers: 20, run: calls.unknownEvents, ...refused },
  {
    name: 'namespaces',
    what: 'CONNECTs to unknown namespaces',
    attackers: 20,
    run: calls.unknownNamespaces,
    ...refused,
  },
  { name: 'typing', what: 'typing, which is no event here', attackers: 20, run: calls.typing, ...refused },
  {
    name: 'attachments',
    what: 'binary attachments that never end, of strangers',
    attackers: 20,
    run: connections.attachments,
  },
  { name: 'attachments-inside', what: 'the same, of visitors', attackers: 20, run: connections.attachmentsInside },
  {
    name: 'fragments',
    what: 'messages of 2.4 MB whose last fragment never comes',
    attackers: 20,
    run: connections.fragments,
  },
  {
    name: 'frames',
    what: 'frames of 2.4 MB whose last byte never comes',
    attackers: 20,
    run: connections.unfinishedFrames,
  },
  { name: 'posts', what: 'POSTs of long polling that never end', attackers: 20, run: connections.pollingPosts },
  {
    name: 'bodies',
    what: 'bodies over HTTP before any token, a little at a time',
    attackers: 50,
    run: http.tricklingBodies,
  },
  { name: 'headers', what: 'headers that never end, a line at a time', attackers: 200, run: http.slowHeaders },
  { name: 'huge-headers', what: 'headers of 15 KB', attackers: 8, run: http.hugeHeaders },
  { name: 'codes', what: 'wrong codes of lessons', attackers: 20, run: http.lessonCodes },
  { name: 'passwords', what: 'wrong passwords of one person', attackers: 4, run: http.wrongPasswords },
  { name: 'hashes', what: 'log-ins of people who are not there', attackers: 2, run: http.hashes },
  { name: 'visitors', what: 'tokens for visitors', attackers: 8, run: http.visitorTokens },
  { name: 'replay', what: 'replays of 3.6 MB, 93 a second, unread', attackers: 1, run: calls.replays },
  { name: 'foreign-replay', what: 'replays that are refused', attackers: 20, run: calls.replayedForeign, ...refused },
  { name: 'answers', what: 'answers over HTTP behind each other, unread', attackers: 20, run: http.unreadAnswers },
  {
    name: 'streams',
    what: 'streams of events, unread, of what changes all the time',
    attackers: 40,
    run: http.unreadStreams,
  },
  { name: 'bytes', what: '8.8 MB/s of one visitor', attackers: 1, run: calls.visitorBytes },
  { name: 'connects', what: 'coming and going', attackers: 20, run: connections.connectStorm },
  { name: 'upgrades', what: 'upgrades that are begun', attackers: 10, run: connections.upgrades },
  {
    name: 'sessions',
    what: 'sessions of long polling that nobody asks again',
    attackers: 10,
    run: connections.pollingSessions,
  },
  { name: 'silent', what: 'WebSockets that say nothing', attackers: 50, run: connections.silentSockets },
  { name: 'pings', what: 'pings of WebSocket', attackers: 20, run: calls.socketPings },
  { name: 'pongs', what: 'pongs of WebSocket', attackers: 20, run: calls.socketPongs },
  { name: 'engine-pings', what: 'pings and pongs of Engine.IO', attackers: 20, run: calls.enginePings },
  { name: 'empty', what: 'empty frames', attackers: 20, run: calls.emptyFrames },
  { name: 'deep', what: 'frames of JSON 5,000 levels deep', attackers: 20, run: calls.deepFrames, ...refused },
  { name: 'deep-bodies', what: 'such bodies over HTTP with an Idempotency-Key', attackers: 8, run: http.deepBodies },
  { name: 'keys', what: 'an Idempotency-Key for each of many lessons', attackers: 8, run: http.idempotencyKeys },
  { name: 'client-ids', what: 'a client_id for each of many messages', attackers: 8, run: calls.clientIds },
  { name: 'queries', what: 'lists with odd parameters', attackers: 8, run: http.oddQueries },
  { name: 'expiring', what: 'tokens that end at once', attackers: 20, run: connections.expiring },
  { name: 'reserved', what: 'events called connect, disconnect, newListener', attackers: 20, run: calls.reservedNames },
  {
    name: 'acks',
    what: 'one number for all acks, and acks that nobody asked for',
    attackers: 20,
    run: calls.reusedAcks,
  },
  { name: 'numbers', what: 'numbers of 300 digits', attackers: 20, run: calls.bigNumbers, ...refused },
  { name: 'verbs', what: 'PUT, DELETE, TRACE of what one may only read', attackers: 8, run: http.verbs },
  { name: 'hosts', what: 'requests for other hosts', attackers: 8, run: http.hosts },
  { name: 'forwarded', what: 'log-ins that claim another address each', attackers: 4, run: http.forwarded },
  { name: 'kids', what: 'tokens that each name another key', attackers: 20, run: connections.kids },
  { name: 'tickets', what: 'guessed tickets of streams', attackers: 8, run: http.tickets },
  { name: 'rooms', what: 'in and out of courses, videos and lessons', attackers: 20, run: calls.roomStorm },
  { name: 'topics', what: 'thousands of subscriptions', attackers: 20, run: calls.topics },
  { name: 'priorities', what: 'priorities of chats, which supervisors are told', attackers: 20, run: calls.priorities },
  { name: 'tabs', what: 'a hundred tabs of one person', attackers: 100, run: calls.tabs },
  { name: 'files', what: 'names of files that are paths', attackers: 4, run: chats.fileNames },
  { name: 'formulas', what: 'names that are formulas', attackers: 4, run: chats.formulas },
  { name: 'noise', what: 'noise in place of a request', attackers: 20, run: connections.noise },
]
