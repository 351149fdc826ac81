import { expect, onTestFinished, test } from 'vitest'
import { freshData } from '../support/data.ts'
import { type Line, openLine } from '../support/line.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sized } from '../support/sized.ts'
import { type Page, type Studio, studio } from '../support/studio.ts'

const ROUNDS = sized(3, 12)
const FILE = Buffer.alloc(60_000, 'some text ')

/** Sends until the server is gone; gives what was acknowledged. */
async function talks(it: Studio, project: number, round: number): Promise<string[]> {
  const owen = await it.socket('owen')
  const acked: string[] = []
  for (let n = 0; owen.socket.connected; n++) {
    const content = `${round}.${n}`
    const file = n % 3 === 0 ? { file_name: 'a.txt', file_base64: FILE.toString('base64') } : {}
    const gone = new Promise<false>((over) => owen.socket.once('disconnect', () => over(false)))
    const ask = owen.ask('send_message', { project_id: project, content, ...file }).catch(() => [false])
    if (await Promise.race([gone, ask.then(([ok]) => ok === true)])) acked.push(content)
  }
  return acked
}

/** Renames until the server is gone; gives the titles that were acknowledged. */
async function renames(it: Studio, project: number, round: number, isOver: () => boolean): Promise<string[]> {
  const acked: string[] = []
  for (let n = 0; !isOver(); n++) {
    const title = `T${round}.${n}.`
    const { status } = await it.ask('owen', 'PATCH', `/projects/${project}`, { title }).catch(() => ({ status: 0 }))
    if (status === 200) acked.push(title)
  }
  return acked
}

test('[PROJECT-40] a server that is killed again and again loses no message, no file and no word', async () => {
  const data = await freshData()
  const start = async (): Promise<TestServer> => {
    const server = await startServer({ data, env: { RATE_PER_PERSON: '100000' } })
    onTestFinished(async () => void (await server.stop()))
    return server
  }
  let server = await start()
  const line: Line = await openLine(server.url)
  onTestFinished(() => line.close())
  const it = studio({ url: line.url })
  onTestFinished(() => it.close())
  const project = await it.project('P', 'owen', 'eve')
  const page: Page = await it.stream('eve')
  const [said, titles]: [string[], string[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    let isOver = false
    const work = Promise.all([talks(it, project, round), renames(it, project, round, () => isOver)])
    await new Promise((passed) => setTimeout(passed, 300 + 200 * round))
    server.kill('SIGKILL')
    await server.ended
    isOver = true
    const [acked, renamed] = await work
    said.push(...acked)
    titles.push(...renamed)
    server = await start()
    line.leadTo(server.url)
  }
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'the end' })
  await page.message(/the end/)
  expect(said.length).toBeGreaterThan(10)
  expect(titles.length).toBeGreaterThan(10)
  const told = page.told.map(({ message }) => message as string)
  for (const title of titles) expect(told.filter((message) => message.includes(`new tilte '${title}'`))).toHaveLength(1)
  expect(new Set(page.ids).size).toBe(page.ids.length)
  const all: { id: number; content: string; file_name: string | null }[] = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { body } = await it.ask('eve', 'GET', `/projects/${project}/messages?limit=200&after=${after}`)
    all.push(...body.data)
    after = body.next
  }
  expect(all.map(({ id }) => id)).toEqual(all.map((_, n) => n + 1))
  for (const content of said) expect(all.filter((one) => one.content === content)).toHaveLength(1)
  for (const { id, file_name } of all) {
    if (file_name === null) continue
    const token = await it.token('agent', 'eve')
    const file = await fetch(`${server.url}/api/v1/projects/${project}/files/${id}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(Buffer.from(await file.arrayBuffer()).equals(FILE)).toBe(true)
  }
})
