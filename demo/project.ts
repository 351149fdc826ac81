import { EventSource } from 'eventsource'
import { enter, type Player } from './client.ts'
import { openAccount } from './course.ts'
import type { Member } from './house.ts'
import { type Caller, caller } from './http.ts'
import { print, say, title, wordsFor } from './narrate.ts'

const PATIENCE_MS = 30_000

/** Somebody with a page that is told what happens, and a window in which they talk. */
interface Desk {
  readonly number: number
  readonly http: Caller
  readonly live: Player
  /** Waits for this text on the page. */
  reads(text: RegExp): Promise<void>
  close(): void
}

/** A project from making it to deleting it, on the screens of its owner and of two who work in it. */
export async function playProject(url: string, admin: Member): Promise<void> {
  title('The admin opens accounts for three people, who log in')
  const members: Member[] = []
  for (const name of ['Olga', 'Cem', 'Pia']) members.push(await openAccount(url, admin, 'agent', name))
  const desks: Desk[] = []
  try {
    for (const [n, who] of ['Owner', 'Coach', 'Pia'].entries()) desks.push(await sits(url, who, members[n] as Member))
    const [owner, coach, pia] = desks as [Desk, Desk, Desk]
    await project(owner, coach, pia)
  } finally {
    for (const desk of desks) desk.close()
  }
}

async function sits(url: string, who: string, member: Member): Promise<Desk> {
  const http = caller(url, who, member)
  const { number } = await http.ask('GET', '/users/me')
  const { ticket } = await http.ask('POST', '/users/stream-ticket', {})
  const page = new EventSource(`${url}/api/v1/users/stream/${ticket}`)
  const told: string[] = []
  let look = (): void => {}
  page.addEventListener('action_project', ({ data }) => {
    const action = JSON.parse(data)
    say(who, wordsFor('action_project', action))
    told.push(action.message)
    look()
  })
  await new Promise<void>((open, failed) => {
    page.addEventListener('open', () => open())
    page.addEventListener('error', ({ message }) => failed(new Error(`${who} has no page: ${message}`)))
  })
  const live = await enter(`${url}/ws/messages`, who, member)
  return {
    ...{ number, http, live },
    reads: (text) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${who} was not told ${text}`)), PATIENCE_MS)
        look = () => {
          if (!told.some((message) => text.test(message))) return
          clearTimeout(timer)
          resolve()
        }
        look()
      }),
    close() {
      page.close()
      live.close()
    },
  }
}

async function project(owner: Desk, coach: Desk, pia: Desk): Promise<void> {
  title('The owner makes a project, and brings the others in')
  const { id: project_id } = await owner.http.ask('POST', '/projects', { title: 'Bridge' })
  const path = `/projects/${project_id}`
  for (const { number } of [coach, pia]) await owner.http.ask('POST', `${path}/participants`, { user_id: number })
  await Promise.all([coach.reads(/You was added/), pia.reads(/You was added/)])
  await owner.http.ask('PUT', `${path}/coach`, { user_id: coach.number })
  await Promise.all([coach.reads(/You was designated/), pia.reads(/was designated new coach/)])

  title('They talk in it, send a file, and something that is not for everybody')
  for (const { live } of [owner, coach, pia]) await live.must('join_project', { project_id })
  await owner.live.must('send_message', { project_id, content: 'Who has the plan?' })
  const plan = Buffer.from('Two piers, one span.\n').toString('base64')
  await pia.live.must('send_message', { project_id, content: 'Here.', file_name: 'plan.txt', file_base64: plan })
  await coach.live.must('send_message', { project_id, content: 'Well done.', receiver_id: pia.number })
  for (const [who, count] of [
    [owner, 2],
    [pia, 3],
  ] as const)
    for (let n = 0; n < count; n++) await who.live.told('receive_message')
  say('Owner', `  the file: “${(await owner.http.text(`${path}/files/2`)).trim()}”`)

  title('It is called something else, somebody leaves, and it ends')
  await coach.http.ask('PATCH', path, { title: 'Tunnel' })
  await pia.reads(/become the new tilte 'Tunnel'/)
  await pia.http.ask('POST', `${path}/leave`, {})
  await owner.reads(/left the project/)
  const messages = await owner.http.ask('GET', `${path}/messages`)
  print(JSON.stringify(messages.map(({ id, content }: { id: number; content: string }) => ({ id, content }))))
  await owner.http.ask('DELETE', path)
  await coach.reads(/was removed by/)
}
