import { afterAll, beforeAll, expect, test } from 'vitest'
import { school, TEA, type Who } from '../support/attendance.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => void (await server.stop()))

interface Mark {
  readonly student_id: string
  readonly status: string
  readonly seq: number
  readonly history: readonly { readonly seq: number; readonly status: string }[]
}

test(
  '[ATT-10] check-ins, marks, unenrolments and several ends at once: every yes is in the report, ' +
    'once, and the counts are those of the marks',
  async () => {
    const ADA: Who = ['admin', 'ada']
    for (let round = 0; round < sized(2, 5); round++) {
      const { enrol, start, as, course, report } = await school(server)
      const students = Array.from({ length: 60 }, (_, n) => `s${n}`)
      await enrol(...students)
      const { id, code } = await start()
      const at = `/courses/${course}/attendance-sessions/${id}`
      const checkIn = (student: string) => as(['student', student], 'POST', `${at}/check-in`, { code })
      const mark = (student_id: string) =>
        as(TEA, 'POST', `${at}/marks`, { student_id, status: 'excused', reason: 'race' })
      const some = (every: number, from = 0) => students.filter((_, n) => n % every === from)
      const answers = Promise.all([
        ...students.map(checkIn),
        ...some(3).map(mark),
        ...some(5).map((student) => as(ADA, 'DELETE', `/courses/${course}/enrollments/${student}`)),
        ...some(10, 1).map(checkIn),
      ])
      const ends = Promise.all([
        as(TEA, 'POST', `${at}/end`),
        as(ADA, 'POST', `${at}/end`),
        as(TEA, 'POST', `${at}/end`),
      ])
      const late = some(4).map(mark)
      const [all, ended] = [[...(await answers), ...(await Promise.all(late))], await ends]

      for (const { status, body } of all) if (status !== 200) expect([403, 409], JSON.stringify(body)).toContain(status)
      const final = await report(id)
      const marks = new Map<string, Mark>(final.marks.map((one: Mark) => [one.student_id, one]))
      for (const { status, body } of all) {
        if (status !== 200 || body.data.seq === undefined || body.data.session_id === undefined) continue
        const kept = marks.get(body.data.student_id)?.history.find(({ seq }) => seq === body.data.seq)
        expect(kept?.status).toBe(body.data.status)
      }
      const seqs = [...marks.values()].flatMap(({ history }) => history.map(({ seq }) => seq))
      expect(new Set(seqs).size).toBe(seqs.length)
      expect(seqs.length + 2).toBe(final.seq + 1) // and its start, and one end
      const { total, present, absent } = final.final_statistics
      expect(present + absent).toBe(total)
      expect(absent).toBeGreaterThanOrEqual(0)
      expect(total).toBeLessThanOrEqual(60)
      for (const one of ended)
        expect(one).toMatchObject({ status: 200, body: { data: { state: 'ended', ended_at: final.ended_at } } })
    }
  },
)
