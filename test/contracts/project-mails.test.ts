import { expect, onTestFinished, test } from 'vitest'
import { recordedIn } from '../faults/recorded.ts'
import { freshData } from '../support/data.ts'
import { startEventStore } from '../support/eventstore-standin.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { startRedis } from '../support/redis-server.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { studio } from '../support/studio.ts'

async function mailServer(port?: number): Promise<MailServer> {
  const server = await startMailServer(port)
  onTestFinished(() => server.close())
  return server
}
async function started(mail: string, data?: string, more: object = {}): Promise<TestServer> {
  const smtp = mail === '' ? {} : { SMTP_URL: mail, SMTP_FROM: 'lyceum@studio.example' }
  const env = { ...smtp, ...more }
  const server = await startServer({ env, ...(data === undefined ? {} : { data }) })
  onTestFinished(async () => void (await server.stop()))
  return server
}
const sentTo = ({ received }: MailServer): string[] => received.flatMap(({ to }) => to)

test('[MAIL-1] who is added without an open stream gets the text by mail, once; who has one does not', async () => {
  const mail = await mailServer()
  const it = studio(await started(mail.url))
  onTestFinished(() => it.close())
  await it.numberOf('eve')
  await it.ask('eve', 'POST', '/users/stream-ticket', {}) // known by their token now
  const page = await it.stream('cody')
  const project = await it.project('Brücke', 'owen', 'cody', 'eve')
  await expect.poll(() => sentTo(mail), { timeout: 20_000 }).toEqual(['eve@studio.example'])
  await page.message("You was added into the project 'Brücke'.")
  const [{ text = '' } = {}] = mail.received
  expect(text).toMatch(/^Subject: =\?UTF-8\?/m)
  expect(text).toMatch(/^From: lyceum@studio.example/m)
  expect(text).toContain("You was added into the project 'Br=C3=BCcke'.")
  // Taken out and added again: the same person, the same project.
  const user = await it.numberOf('eve')
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${user}`)
  await it.ask('owen', 'POST', `/projects/${project}/participants`, { user_id: user })
  const other = await it.project('Other', 'owen', 'eve')
  expect(other).not.toBe(project)
  await expect.poll(() => mail.received.length, { timeout: 20_000 }).toBe(2)
  expect(mail.received[1]?.text).toContain('Other')
})

test('[MAIL-2] a mail server that is away is waited for, over a kill -9 and a restart; one mail comes', async () => {
  const data = await freshData()
  const { port } = await (async () => {
    const reserved = await startMailServer()
    await reserved.close()
    return reserved
  })()
  const first = await started(`smtp://127.0.0.1:${port}`, data)
  const it = studio(first)
  await it.ask('eve', 'POST', '/users/stream-ticket', {})
  await it.project('P', 'owen', 'eve')
  first.kill('SIGKILL')
  await first.ended
  await started(`smtp://127.0.0.1:${port}`, data)
  const mail = await mailServer(port)
  await expect.poll(() => sentTo(mail), { timeout: 60_000 }).toEqual(['eve@studio.example'])
})

test('[MAIL-9] a mail that was begun when the only node was killed goes out as soon as it is back', async () => {
  const [mail, data] = [await mailServer(), await freshData()]
  mail.answer = () => 'later'
  const first = await started(mail.url, data)
  const it = studio(first)
  await it.ask('eve', 'POST', '/users/stream-ticket', {})
  await it.project('P', 'owen', 'eve')
  await expect.poll(() => mail.asked.length, { timeout: 30_000 }).toBeGreaterThan(0)
  first.kill('SIGKILL')
  await first.ended
  mail.answer = () => 'taken'
  await started(mail.url, data)
  await expect.poll(() => sentTo(mail), { timeout: 30_000 }).toEqual(['eve@studio.example'])
})

test('[MAIL-3] who is refused for good is given up; who is refused for now holds up no other', async () => {
  const mail = await mailServer()
  mail.answer = (address) => {
    if (address.startsWith('never')) return 'never'
    if (address.startsWith('later')) return 'later'
    return 'taken'
  }
  const it = studio(await started(mail.url))
  for (const id of ['never', 'later', 'eve', 'cody']) await it.ask(id, 'POST', '/users/stream-ticket', {})
  await it.project('P', 'owen', 'never', 'later', 'eve', 'cody')
  await expect
    .poll(() => sentTo(mail).sort(), { timeout: 60_000 })
    .toEqual(['cody@studio.example', 'eve@studio.example'])
  await expect
    .poll(() => mail.asked.filter((one) => one.startsWith('later')).length, { timeout: 30_000 })
    .toBeGreaterThan(1)
  expect(mail.asked.filter((one) => one.startsWith('never'))).toHaveLength(1)
})

/** Whoever is added last, and is away: everything before it has been looked at when their mail is there. */
async function fence(it: ReturnType<typeof studio>, mail: MailServer, id: string): Promise<void> {
  await it.ask(id, 'POST', '/users/stream-ticket', {})
  await it.project('Fence', 'owen', id)
  await expect.poll(() => sentTo(mail), { timeout: 30_000 }).toContain(`${id}@studio.example`)
}

test('[MAIL-7] who was told by page gets no mail of it later, whoever looks at it again', async () => {
  const [mail, data] = [await mailServer(), await freshData()]
  const first = await started(mail.url, data)
  const it = studio(first)
  const page = await it.stream('zoe')
  const project = await it.project('Q', 'owen', 'zoe')
  await page.message("You was added into the project 'Q'.")
  page.close()
  await fence(it, mail, 'eve')
  const zoe = await it.numberOf('zoe')
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${zoe}`)
  first.kill('SIGKILL')
  await first.ended
  const again = studio(await started(mail.url, data), it.org)
  await fence(again, mail, 'cody')
  expect(sentTo(mail).sort()).toEqual(['cody@studio.example', 'eve@studio.example'])
})

test('[MAIL-7] nor does another node that has never looked before', async () => {
  const [mail, redis, store] = [await mailServer(), await startRedis(), await startEventStore()]
  onTestFinished(async () => {
    await redis.stop()
    store.kill()
  })
  const env = { EVENTSTORE_URL: store.url, REDIS_URL: redis.url }
  const it = studio(await started(mail.url, await freshData(), env))
  const page = await it.stream('zoe')
  await it.project('Q', 'owen', 'zoe')
  await page.message("You was added into the project 'Q'.")
  page.close()
  await started(mail.url, await freshData(), env)
  await fence(it, mail, 'eve')
  expect(sentTo(mail)).toEqual(['eve@studio.example'])
})

test('[MAIL-8] mail begins with what happens once it is configured, and goes to nobody who is out again', async () => {
  const [mail, data] = [await mailServer(), await freshData()]
  const silent = await started('', data)
  const before = studio(silent)
  await before.ask('old', 'POST', '/users/stream-ticket', {})
  await before.project('P', 'owen', 'old')
  await silent.stop()
  mail.answer = (address) => (address.startsWith('out') ? 'later' : 'taken')
  const it = studio(await started(mail.url, data), before.org)
  await it.ask('out', 'POST', '/users/stream-ticket', {})
  const project = await it.project('Q', 'owen', 'out')
  await expect.poll(() => mail.asked.length, { timeout: 30_000 }).toBeGreaterThan(0)
  await it.ask('owen', 'DELETE', `/projects/${project}/participants/${await it.numberOf('out')}`)
  mail.answer = () => 'taken'
  const asked = mail.asked.length
  await fence(it, mail, 'eve')
  const givenUp = async () => (await recordedIn(data)).filter(({ event }) => event.type === 'MailGivenUp').length
  await expect.poll(givenUp, { timeout: 30_000 }).toBe(1)
  expect(mail.asked.slice(asked)).toEqual(['eve@studio.example'])
  expect(sentTo(mail)).toEqual(['eve@studio.example'])
})
