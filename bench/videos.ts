import type { CourseEvent } from '../machines/course/events.ts'
import type { VideoEvent } from '../machines/video/events.ts'
import { startServer, type TestServer, tokenFor } from '../test/support/server.ts'
import { NO_LIMITS } from './against-relay.ts'
import { atMost, type Figure, median, mostWithin } from './figures.ts'
import { inDirectory, openLogIn, write } from './histories.ts'
import { cpuMs, quiet } from './process-cost.ts'
import { type Program, startProgram } from './processes.ts'
import type { JoinReport, ViewersOrder, WatchReport } from './viewers.ts'
import { openWire } from './wire.ts'

const [ORG, COURSE, VIDEO] = ['bench', 'algebra', 'halves'] as const
const INSTRUCTORS = 5
const JOIN_WITHIN_MS = 2_000
/** The first report of each is recorded at once: that is part of no hour. */
const WARM_UP_MS = 3_000
/** Progress is recorded once in so many seconds: only whole ones of these tell how much is recorded in an hour. */
const RECORDED_EVERY_S = 15
/** A second at the server, less what a network presses together. */
const WINDOW_MS = 900

/**
 * A class that comes to a video at once and then watches it: everybody reports where they are once a second, and the
 * instructors of the course look on. Viewers are in a process of their own, instructors in this one, so that nobody's
 * pushes wait behind somebody else's acks.
 */
export function videos(): Promise<readonly Figure[]> {
  const viewers = wholeNumber('BENCH_VIEWERS', 1_000, 1)
  const seconds = wholeNumber('BENCH_SECONDS', 30, RECORDED_EVERY_S)
  return inDirectory(async (data) => {
    await record(data, viewers)
    const server = await startServer({ data, env: NO_LIMITS })
    const program = startProgram('viewers.ts')
    try {
      return await measured(server, program, viewers, seconds)
    } finally {
      await program.end()
      await server.stop()
    }
  })
}

async function measured(server: TestServer, program: Program, viewers: number, seconds: number): Promise<Figure[]> {
  const tell = <T>(order: ViewersOrder): Promise<T> => program.ask(order) as Promise<T> // as `obey` there answers
  await tell({ do: 'open', url: server.url, org: ORG, course: COURSE, video: VIDEO, viewers })
  const instructors = await Promise.all(Array.from({ length: INSTRUCTORS }, (_, n) => lookOn(server.url, n)))
  await quiet(server)
  const before = { events: await recorded(server), cpu: cpuMs(server.pid) }
  const join = await tell<JoinReport>({ do: 'join', withinMs: JOIN_WITHIN_MS })
  await quiet(server)
  const joins = { events: (await recorded(server)) - before.events, cpu: cpuMs(server.pid) - before.cpu }
  const looked = {
    unheard: viewers - Math.min(...instructors.map(({ joined }) => joined.size)),
    most: Math.max(...instructors.map(({ joins: times }) => mostWithin(times, WINDOW_MS))),
  }

  await tell({ do: 'watch' })
  await new Promise((warm) => setTimeout(warm, WARM_UP_MS))
  for (const { told } of instructors) told.length = 0
  const [events, cpu, started] = [await recorded(server), cpuMs(server.pid), performance.now()]
  const watch = await tell<WatchReport>({ do: 'measure', seconds })
  const ms = performance.now() - started
  const cost = { events: (await recorded(server)) - events, cpu: cpuMs(server.pid) - cpu }
  const pushes = instructors.map(({ told }) => told.filter((at) => at <= started + ms))
  for (const { close } of instructors) close()
  return [...herd(viewers, join, joins, looked), ...hour(viewers, ms / 1000, watch, cost, pushes)]
}

/** Of the server: events that it recorded, and CPU in milliseconds. */
interface Cost {
  readonly events: number
  readonly cpu: number
}

/** What instructors were told of the herd: of how many not, and how often in any second. */
interface Looked {
  readonly unheard: number
  readonly most: number
}

function herd(viewers: number, join: JoinReport, cost: Cost, { unheard, most }: Looked): readonly Figure[] {
  const { ms, toldMs, p50, p99, pushes } = join
  return [
    {
      name: `${viewers} join a video within ${JOIN_WITHIN_MS / 1000} s: all have joined_video`,
      value: ms / 1000,
      unit: 's',
      target: atMost(5),
      note:
        `for each ${Math.round((cost.cpu * 1000) / viewers)} µs of CPU of the server, ` +
        `${(cost.events / viewers).toFixed(2)} events`,
    },
    { name: 'p99 of the ack of join_video', value: p99, unit: 'ms', note: `p50 ${p50.toPrecision(3)} ms` },
    {
      name: 'until everybody was told of everybody else who came after them',
      value: toldMs / 1000,
      unit: 's',
      target: atMost(30),
      note: `half of them had ${median(pushes)} pushes or fewer; an instructor at most ${most} in any second`,
    },
    { name: 'viewers of whom an instructor was not told', value: unheard, unit: '', target: atMost(0) },
  ]
}

function hour(
  viewers: number,
  seconds: number,
  { acks, p50, p99, share }: WatchReport,
  { events, cpu }: Cost,
  pushes: readonly (readonly number[])[],
): readonly Figure[] {
  const most = Math.max(...pushes.map((times) => mostWithin(times, WINDOW_MS)))
  const perSecond = Math.max(...pushes.map(({ length }) => length)) / seconds
  return [
    {
      name: `${viewers} report once a second: CPU of the server, per report`,
      value: (cpu * 1000) / acks,
      unit: 'µs',
      note:
        `all threads; ${Math.round(acks / seconds)} acks/s for ${seconds.toFixed(0)} s; ` +
        `the viewers’ process used ${Math.round(share * 100)} % of a core`,
    },
    {
      name: 'events recorded, per viewer and hour',
      value: Math.round(events / viewers / (seconds / 3600)),
      unit: '',
      target: atMost(240),
      note: `${events} in ${seconds.toFixed(1)} s, after the first report of each`,
    },
    { name: 'p50 of the ack', value: p50, unit: 'ms' },
    { name: 'p99 of the ack', value: p99, unit: 'ms' },
    {
      name: `pushes to one of ${INSTRUCTORS} instructors, most in any second`,
      value: most,
      unit: '',
      target: atMost(5),
      note: `${perSecond.toFixed(1)} each second`,
    },
  ]
}

interface Instructor {
  /** When they were told of progress. */
  readonly told: number[]
  /** When they were told that somebody came, and of whom. */
  readonly joins: readonly number[]
  readonly joined: ReadonlySet<string>
  close(): void
}

/** Who has joined the course and the video. */
async function lookOn(url: string, n: number): Promise<Instructor> {
  const [told, joins]: [number[], number[]] = [[], []]
  const joined = new Set<string>()
  const both = Promise.withResolvers<void>()
  let acks = 0
  const wire = await openWire(
    { url, token: await tokenFor('teacher', `tea${n}`, ORG), query: {} },
    (bytes, from, to) => {
      const name = bytes.toString('latin1', from, from + 21)
      if (name.startsWith('2["student_progress"') || name.startsWith('2["progress_update"'))
        told.push(performance.now())
      else if (name.startsWith('3')) {
        if (++acks === 2) both.resolve()
      } else if (name.startsWith('2["user_joined_video"')) {
        joins.push(performance.now())
        // As the contract describes the push.
        const [, push] = JSON.parse(bytes.toString('utf8', from + 1, to)) as [string, Joined]
        if (push.user_id.startsWith('s')) joined.add(push.user_id)
      }
    },
  )
  wire.emit(`21["join_course",{"course_id":"${COURSE}"}]`)
  wire.emit(`22["join_video",{"video_id":"${VIDEO}"}]`)
  await both.promise
  return { told, joins, joined, close: wire.close }
}

interface Joined {
  readonly user_id: string
}

/** Events that the server has appended since its start. */
async function recorded({ url }: TestServer): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.matchAll(/^lyceum_events_appended_total(?:\{[^}]*\})? (\S+)$/gm)
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** A course with everybody in it, and a video of an hour: enrolling a thousand over HTTP is not what is measured. */
async function record(data: string, viewers: number): Promise<void> {
  const at = Date.now()
  const teacherIds = Array.from({ length: INSTRUCTORS }, (_, n) => `tea${n}`)
  const enrolled = Array.from(
    { length: viewers },
    (_, n): CourseEvent => ({ type: 'StudentEnrolled', studentId: `s${n}`, at }),
  )
  const created: CourseEvent = { type: 'CourseCreated', org: ORG, title: 'Algebra', teacherIds, at }
  const added: VideoEvent = {
    ...{ type: 'VideoAdded', org: ORG, courseId: COURSE, title: 'Halves', durationSeconds: 3_600, addedBy: 'tea0', at },
  }
  const log = await openLogIn(data)
  await write(log, [
    { name: `course-${COURSE}`, events: [created, ...enrolled] },
    { name: `video-${VIDEO}`, events: [added] },
  ])
  await log.close()
}

/** Of an environment variable: a positive multiple of `step`. */
function wholeNumber(name: string, fallback: number, step: number): number {
  const text = process.env[name]
  const value = text === undefined ? fallback : Number(text)
  if (Number.isInteger(value) && value > 0 && value % step === 0) return value
  const what = step === 1 ? 'a positive whole number' : `a multiple of ${step}, from ${step} on`
  throw new Error(`${name} must be ${what}, got ${JSON.stringify(text)}`)
}
