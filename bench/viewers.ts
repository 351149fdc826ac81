import { tokenFor } from '../test/support/server.ts'
import { quantile } from './figures.ts'
import { ackIn, openWire, type Wire } from './wire.ts'

/** The viewers of one video, all in one process of their own. */
export type ViewersOrder =
  | {
      readonly do: 'open'
      readonly url: string
      readonly org: string
      readonly course: string
      readonly video: string
      readonly viewers: number
    }
  /** Each joins the video at a moment of their own within so many milliseconds. */
  | { readonly do: 'join'; readonly withinMs: number }
  /** Each reports once a second from now on, a second further each time; answered when they have begun. */
  | { readonly do: 'watch' }
  /** What is measured of it within so many seconds; they go on. */
  | { readonly do: 'measure'; readonly seconds: number }

/** Of acks in milliseconds, counted from when somebody wanted to. */
interface Acks {
  readonly acks: number
  readonly p50: number
  readonly p99: number
}

export interface JoinReport extends Acks {
  /** From the first who joins to the last who is told `joined_video`. */
  readonly ms: number
  /** To the last push that tells one of them of another. */
  readonly toldMs: number
  /** By viewer: how often they were told that others came. */
  readonly pushes: readonly number[]
}

export interface WatchReport extends Acks {
  /** CPU of this process, as a share of one core. */
  readonly share: number
}

interface Viewer {
  readonly wire: Wire
  /** What they are waiting for, by ack id: since when. */
  readonly asked: Map<number, number>
  /** How often they were told that somebody came. */
  pushes: number
}

/** All reports of a second are spread over it. */
const PERIOD_MS = 1_000
/** Pushes that wait are told within a second: after so long without one there are none. */
const QUIET_MS = 1_500
const LENGTH_S = 3_600

const viewers: Viewer[] = []
let course = ''
let video = ''
let latencies: number[] = []
let joined = 0
let lastPushAt = 0
let ackId = 0

async function open({ url, org, ...order }: Extract<ViewersOrder, { do: 'open' }>): Promise<void> {
  course = order.course
  video = order.video
  const left = Array.from({ length: order.viewers }, (_, n) => n).values()
  const worker = async (): Promise<void> => {
    for (const n of left) {
      const token = await tokenFor('student', `s${n}`, org)
      const its = { asked: new Map<number, number>(), pushes: 0 }
      const wire = await openWire({ url, token, query: {} }, (bytes, from) => heard(its, bytes, from))
      viewers.push(Object.assign(its, { wire }))
    }
  }
  await Promise.all(Array.from({ length: 50 }, worker))
}

function heard(its: Omit<Viewer, 'wire'>, bytes: Buffer, from: number): void {
  const ack = ackIn(bytes, from)
  if (!ack) {
    const name = bytes.toString('latin1', from, from + 21)
    if (name.startsWith('2["joined_video"')) joined++
    else if (name.startsWith('2["user_joined_video"')) {
      lastPushAt = performance.now()
      its.pushes++
    }
    return
  }
  const since = its.asked.get(ack.id)
  if (since === undefined) return
  its.asked.delete(ack.id)
  if (bytes.toString('latin1', ack.at, ack.at + 5) !== '[true')
    throw new Error(`refused: ${bytes.toString('utf8', from, from + 300)}`)
  latencies.push(performance.now() - since)
}

function ask({ wire, asked }: Viewer, dueAt: number, name: string, data: string): void {
  const id = ackId++
  asked.set(id, dueAt)
  wire.emit(`2${id}["${name}",${data}]`)
}

async function join(withinMs: number): Promise<JoinReport> {
  latencies = []
  const started = performance.now()
  const moments = viewers.map((viewer) => ({ viewer, dueAt: started + Math.random() * withinMs }))
  moments.sort((a, b) => a.dueAt - b.dueAt)
  for (const { viewer, dueAt } of moments) {
    while (performance.now() < dueAt) await pause(1)
    ask(viewer, dueAt, 'join_video', `{"video_id":"${video}"}`)
  }
  while (joined < viewers.length || latencies.length < viewers.length) await pause(1)
  const ms = performance.now() - started
  while (performance.now() - lastPushAt < QUIET_MS) await pause(50)
  return { ms, toldMs: lastPushAt - started, ...acks(), pushes: viewers.map(({ pushes }) => pushes) }
}

/** Never resolves by itself: the process is ended. */
async function watch(): Promise<never> {
  const started = performance.now()
  for (let next = 0; ; next++) {
    const dueAt = started + (next * PERIOD_MS) / viewers.length
    while (performance.now() < dueAt) await pause(1)
    const timestamp = Math.floor(next / viewers.length)
    const progress = Math.round((timestamp / LENGTH_S) * 1_000) / 10
    const data = `{"video_id":"${video}","course_id":"${course}","progress":${progress},"timestamp":${timestamp}}`
    const viewer = viewers[next % viewers.length]
    if (viewer) ask(viewer, dueAt, 'video_progress', data)
  }
}

async function measure(seconds: number): Promise<WatchReport> {
  latencies = []
  const [cpu, started] = [process.cpuUsage(), performance.now()]
  await pause(seconds * 1000)
  const { user, system } = process.cpuUsage(cpu)
  return { ...acks(), share: (user + system) / 1000 / (performance.now() - started) }
}

const acks = (): Acks => ({
  acks: latencies.length,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function obey(order: ViewersOrder): Promise<object> {
  switch (order.do) {
    case 'open':
      return open(order).then(() => ({}))
    case 'join':
      return join(order.withinMs)
    case 'watch':
      void watch() // goes on until the process is ended; a refusal ends it
      return {}
    case 'measure':
      return measure(order.seconds)
  }
}

process.on('message', (order: ViewersOrder) => {
  obey(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
