import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import { isOf } from '../../machines/stream.ts'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { type Campus, campus } from '../support/campus.ts'
import type { Client } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'

let data: string
let server: TestServer
let it: Campus | undefined
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lyceum-watch-'))
})
afterEach(async () => {
  it?.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const VIEWERS = 12
const ROUNDS = sized(2, 6)

/** What one viewer was acknowledged, as seconds of the video. */
interface Viewer {
  readonly id: string
  /** Where the stretches that were acknowledged as over begin and end. */
  readonly ended: (readonly [from: number, to: number])[]
  /** Everything that was ever reported: nothing else may be recorded. */
  readonly reported: Set<number>
}

test('[COURSE-31] a server that is killed in a watch keeps every stretch whose end it acknowledged', async () => {
  server = await startServer({ data })
  let campusNow = await campus(server, { students: Array.from({ length: VIEWERS }, (_, n) => `s${n}`) })
  it = campusNow
  const first = campusNow
  const viewers = Array.from({ length: VIEWERS }, (_, n): Viewer => ({ id: `s${n}`, ended: [], reported: new Set() }))

  /** Watches a little here and a little there, until the server is gone. */
  const watches = async (client: Client, { ended, reported }: Viewer, round: number): Promise<void> => {
    const report = async (timestamp: number): Promise<boolean> => {
      reported.add(timestamp)
      const asked = { video_id: first.video, course_id: first.course, progress: 1, timestamp }
      const gone = new Promise<false>((over) => client.socket.once('disconnect', () => over(false)))
      return Promise.race([gone, client.ask('video_progress', asked).then(([ok]) => ok === true)])
    }
    for (let from = round * 200; client.socket.connected; from += 10) {
      for (const timestamp of [from, from + 1, from + 2]) if (!(await report(timestamp))) return
      if (!(await report(from + 10))) return // a seek, which ends the stretch before it
      ended.push([from, from + 2])
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    const clients = await Promise.all(viewers.map(({ id }) => campusNow.come('student', id)))
    const watching = Promise.all(clients.map((client, n) => watches(client, viewers[n] as Viewer, round)))
    await pause(2_500 + Math.random() * 1_000) // in the midst of it
    server.kill('SIGKILL')
    await server.ended
    await watching
    server = await startServer({ data })
    campusNow = await campus(server, { as: first })
    it = campusNow
  }
  await server.stop()

  const log = await openEmbeddedLog({
    ...{ path: join(data, 'log'), codec: codec(eventSchemas), now: Date.now },
    onFatal: () => {},
  })
  for (const { id, ended, reported } of viewers) {
    expect(ended.length).toBeGreaterThan(0)
    const recorded: (readonly [number, number])[] = []
    let lastAt = Number.NEGATIVE_INFINITY
    for await (const batch of log.read(`watch-${first.video}.${id}`))
      for (const one of batch) {
        if (!isOf('watch', one) || one.event.type !== 'ProgressMade') continue
        recorded.push(...one.event.stretches)
        expect(reported).toContain(one.event.timestamp)
        expect(one.event.at - lastAt).toBeGreaterThanOrEqual(1_000)
        lastAt = one.event.at
      }
    for (const [from, to] of ended) expect(recorded.some(([a, b]) => a <= from && to <= b)).toBe(true)
    for (const [a, b] of recorded) for (const border of [a, b]) expect(reported).toContain(border)
  }
  await log.close()
  server = await startServer({ data })
})
