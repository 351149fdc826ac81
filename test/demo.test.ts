import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from './support/run.ts'
import { startServer } from './support/server.ts'

const DEMO = join(import.meta.dirname, '../demo/demo.ts')
const MAIN = join(import.meta.dirname, '../src/main.ts')

const runDemo = (args: readonly string[] = []) => run(DEMO, args)

/** The names of what this screen was pushed, in order. */
const toldTo = (who: string, out: string): readonly string[] =>
  [...out.matchAll(new RegExp(`^ +[\\d.]+ {2}${who} +◂ (\\w+)`, 'gm'))].map(([, name = '']) => name)

describe('the demo', () => {
  test('starts a server of its own, plays the desk, replays a chat, and ends by itself with exit code 0', async () => {
    const { code, out, err } = await runDemo()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.match(/chat already claimed by Demo Agent [12]$/gm)).toHaveLength(1)
    expect(out).toContain('Demo Supervisor takes this chat over')
    expect(out).toContain('flags Mia’s chat with severity 80')
    expect(out).toContain('back within the grace')
    expect(out).toContain('“Sorry, a tunnel.”')
    const steps = [...out.matchAll(/^ +(\d+) {2}[\d:.]+ {2}(\w+) +→ (\w+)/gm)].map(
      ([, seq, type, state]) => `${seq} ${type} ${state}`,
    )
    expect(steps).toEqual([
      '0 ChatOpened unclaimed',
      '1 VisitorWrote unclaimed',
      '2 ChatClaimed claimed',
      '3 StaffWrote claimed',
      '4 VisitorWrote claimed',
      '5 ChatFlagged claimed',
      '6 ChatTakenOver takenOver',
      '7 StaffWrote takenOver',
      '8 ChatClosed closed',
    ])
    expect(out).toMatch(/^ +8 {2}visitor_leave_chat_for_supervisor/m)
  })

  test(
    'plays on a running server, as the people whose log-ins its first start printed, and can be ' + 'replayed',
    async () => {
      const server = await startServer()
      onTestFinished(() => server.kill('SIGKILL'))
      const logins = [...server.output().matchAll(/^ {2}\w+ +(\S+@\S+) +(\S+)$/gm)].map(
        ([, email, password]) => `--login=${email}:${password}`,
      )
      const { code, out, err } = await runDemo([`--url=${server.url}/`, ...logins])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain(`A support desk at ${server.url}`)

      // What it left in the log is told by the command line too, while the server runs.
      const env = { LYCEUM_DATA: server.data }
      const room = /\/api\/v1\/chats\/(\w+)\/events/.exec(out)?.[1] ?? ''
      const [replayed, verified] = await Promise.all([
        run(MAIN, ['replay', room, '--speed', '0'], env),
        run(MAIN, ['views', 'verify'], env),
      ])
      expect(replayed).toMatchObject({ code: 0, err: '' })
      expect(replayed.out).toMatch(/^ {3}0 .* visitor Mia: \{"text":"My course has vanished!"\}$/m)
      expect(replayed.out).toMatch(
        /^ {3}6 .* takenOver {2}ChatTakenOver {2}by Demo Supervisor \(supervisor\) from Demo Agent [12]$/m,
      )
      expect(verified).toMatchObject({
        code: 0,
        out: expect.stringMatching(
          new RegExp(
            [
              '^attendance-sessions: equal',
              'chats: equal, 3 keys',
              'comings: equal',
              'courses: equal',
              'lessons: equal',
              'mails: equal',
              'online: equal',
              'organisations: equal, 1 keys',
            ]
              .concat('people: equal')
              .join('.*\\n'),
          ),
        ),
      })
      expect(await server.stop()).toBe(0)
    },
  )

  test('plays a course on the screens of an instructor and a student, up to the CSV of what was watched', async () => {
    const server = await startServer()
    onTestFinished(() => server.kill('SIGKILL'))
    const [, email, password] = /^ {2}admin +(\S+) +(\S+)$/m.exec(server.output()) ?? []
    const { code, out, err } = await runDemo(['course', `--url=${server.url}`, `--login=${email}:${password}`])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = ['student_progress', 'progress_update']
    const talk = ['new_chat_message', 'new_chat_message']
    expect(toldTo('Instructor', out)).toEqual([
      ...['connected', 'joined_course', 'new_enrollment', 'joined_video', 'user_joined_video'],
      ...[...report, ...report, ...report, ...report, ...report, ...talk],
      ...['quiz_submission', 'new_review'],
    ])
    expect(toldTo('Student', out)).toEqual(['connected', 'joined_course', 'joined_video', ...talk, 'new_review'])
    // Three seconds of a minute: what was jumped over does not count.
    expect(out).toMatch(/Instructor +◂ student_progress +is at 51 s, 85 %\n.*◂ progress_update +has watched 3 s, 5 %/)
    expect(out).toMatch(/Instructor +◂ quiz_submission +67 percent right, passed$/m)
    expect(out).toContain('"percent_complete": 5,')
    const lines = out.slice(out.indexOf('user_id,video_id,title,')).split(/\r?\n/)
    expect(lines[0]).toBe('user_id,video_id,title,watched_seconds,percent_complete,completed_at')
    expect(lines[1]).toMatch(/^[^,]+,[^,]+,Halves in a minute,3,5,$/)
    const verified = await run(MAIN, ['views', 'verify'], { LYCEUM_DATA: server.data })
    expect(verified.code).toBe(0)
    for (const view of ['courses', 'quizzes', 'reviews', 'videos', 'watches'])
      expect(verified.out).toMatch(new RegExp(`^${view}: equal`, 'm'))
    expect(await server.stop()).toBe(0)
  })

  test('plays a project on the screens of three people, with their pages', async () => {
    const server = await startServer()
    onTestFinished(() => server.kill('SIGKILL'))
    const [, email, password] = /^ {2}admin +(\S+) +(\S+)$/m.exec(server.output()) ?? []
    const { code, out, err } = await runDemo(['project', `--url=${server.url}`, `--login=${email}:${password}`])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/Coach +◂ action_project +You was designated new coach in the project 'Bridge'\.$/m)
    expect(out).toMatch(/Owner +the file: “Two piers, one span\.”$/m)
    expect(out).toContain('[{"id":1,"content":"Who has the plan?"},{"id":2,"content":"Here."}]')
    expect(await server.stop()).toBe(0)
  })

  test('says what it needs: somebody who answers, log-ins, and a demo that there is', async () => {
    const [nobody, nonsense, unknown] = await Promise.all([
      runDemo(['--url=http://127.0.0.1:1', '--login=a@b.example:secret']),
      runDemo(['--url=http://127.0.0.1:1', '--login=agent1']),
      runDemo(['tennis']),
    ])
    expect(unknown).toMatchObject({ code: 1, err: 'demo: there is no demo tennis: there are desk, course, project\n' })
    expect(nobody).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^demo: no server answers at http:\/\/127\.0\.0\.1:1/),
    })
    expect(nonsense).toMatchObject({ code: 1, err: 'demo: a log-in must be email:password, got "agent1:…"\n' })
  })
})
