import { type Attacking, again, everybody } from './attacking.ts'
import type { Raw } from './raw.ts'

/** Visitors without any account open chats and write what they may, all from one address. */
async function fill(it: Attacking): Promise<readonly Raw[]> {
  const open: Raw[] = []
  await everybody(it, async () => {
    while (!it.isOver() && open.length < MOST_CHATS) {
      const { body } = await it.http('POST', '/api/v1/auth/visitor', { body: { org_id: it.world.org } })
      const token: string | undefined = body?.data?.access_token
      const raw = token === undefined ? null : await it.stranger({ headers: `Authorization: Bearer ${token}\r\n` })
      if (raw === null) {
        await it.rest(50)
        continue
      }
      open.push(raw)
      raw.socket.resume()
      await raw.send('40')
      await it.rest(20)
      await raw.send(`42["visitor_first_msg",{"text":"${'x'.repeat(60_000)}"}]`)
      for (let n = 0; n < 8; n++) await raw.send(`42["visitor_msg",{"text":"${'x'.repeat(60_000)}"}]`)
    }
  })
  return open
}

/** What the issue met: 1,100 chats of 512 KiB. */
const MOST_CHATS = 1_100

export async function queue(it: Attacking): Promise<void> {
  const open = await fill(it)
  await it.rest(Number.POSITIVE_INFINITY)
  for (const raw of open) raw.close()
}

/** Staff who connect on such a queue, and read at 2 MB/s or not at all. */
export async function queueAndStaff(it: Attacking): Promise<void> {
  const filling = fill(it)
  await it.rest(2_000)
  const staff = Array.from({ length: 10 }, (_, n) =>
    again(
      it,
      () => it.socket('agent', `mallory-${n}`),
      async (raw) => {
        if (n % 2) raw.socket.pause()
        await it.rest(500)
      },
    ),
  )
  await Promise.all(staff)
  for (const raw of await filling) raw.close()
}

/** Names of files that are paths, and bytes that are another kind of file. */
export async function fileNames(it: Attacking): Promise<void> {
  const token = await it.token('agent', 'mallory')
  const project = (await it.http('POST', '/api/v1/projects', { token, body: { title: 'x' } })).body?.data?.id
  const names = [
    '../../../etc/cron.d/x.txt',
    'C:\\\\x.txt',
    '\u0000.txt',
    'x\r\nSet-Cookie: a=b.txt',
    `${'../'.repeat(300)}x.txt`,
  ]
  await everybody(it, () =>
    again(
      it,
      () => it.socket('agent', 'mallory'),
      async (raw) => {
        await raw.send(`40/ws/messages,${JSON.stringify({ token })}`)
        await it.rest(50)
        await raw.send(`42/ws/messages,["join_project",{"project_id":${project}}]`)
        for (let n = 0; n < 200 && raw.isOpen() && !it.isOver(); n++) {
          const file = { project_id: project, file_name: names[n % names.length], file_base64: 'AAAA'.repeat(20_000) }
          await Promise.race([raw.send(`42/ws/messages,${n}${JSON.stringify(['send_message', file])}`), it.rest(500)])
          await it.rest(5)
        }
      },
    ),
  )
}

/** People who are called like formulas, in lists that are opened in spreadsheets. */
export async function formulas(it: Attacking): Promise<void> {
  const token = await it.token('teacher', 'mallory')
  const course = (await it.http('POST', '/api/v1/courses', { token, body: { title: '=1+1' } })).body?.data?.id
  await everybody(it, async (lane) => {
    for (let n = 0; !it.isOver(); n++) {
      const id = `s${lane}-${n}`
      await it.http('POST', `/api/v1/courses/${course}/enrollments`, { token, body: { student_id: id } })
      const student = await it.token('student', id, {
        name: '=HYPERLINK("http://evil.example")',
        email: '+1@x.example',
      })
      await it.http('POST', `/api/v1/courses/${course}/reviews`, {
        token: student,
        body: { rating: 1, comment: '@SUM(A1)' },
      })
      const { body } = await it.http('GET', `/api/v1/courses/${course}/progress.csv`, { token })
      const formula = /(^|,)"?[=+@\t].*$/m.exec(typeof body === 'string' ? body : '')?.[0]
      if (formula !== undefined) it.blame(`a formula in a list: ${formula.slice(0, 60)}`)
    }
  })
}
