import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { eventSchemas } from '../../machines/catalogue.ts'
import type { Party } from '../../machines/kernel.ts'
import { isOf } from '../../machines/stream.ts'
import { mails } from '../../projections/mails.ts'
import { codec } from '../../src/log/codec.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { type Mailer, startMailer } from '../../src/mail/mailer.ts'
import { smtpPost } from '../../src/mail/smtp.ts'
import { type Entities, openEntities } from '../../src/runtime/entities.ts'
import { memorySnapshots } from '../../src/runtime/snapshots.ts'
import { memoryViews } from '../../src/views/memory.ts'
import { runViews, type ViewRunner } from '../../src/views/runner.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'

const by: Party = { id: 'mailer', org: 'acme', role: 'system' }
let clock: ManualClock
let log: ReturnType<typeof memoryLog>
let entities: Entities
let views: ViewRunner
let server: MailServer
beforeEach(async () => {
  clock = manualClock()
  log = memoryLog({ codec: codec(eventSchemas), now: clock.now })
  entities = openEntities({ log, snapshots: memorySnapshots(), shared: true, now: clock.now, idleMs: 60_000 })
  views = runViews({ log, store: memoryViews(), projections: [mails], commitEveryMs: 2, pollMs: 20, onAlarm: () => {} })
  await views.ready()
  server = await startMailServer()
  onTestFinished(async () => {
    await server.close()
    await views.stop()
    await entities.stop()
  })
})

function started(node = 'a', url = server.url): Mailer {
  const mailer = startMailer({
    ...{ entities, views, clock, node, post: smtpPost({ url, from: 'us@example.org', timeoutMs: 300 }) },
    write: async ({ personId, title }) =>
      personId === 'nobody' ? 'no address is known' : { to: `${personId}@example.org`, subject: title, text: title },
    onError(error) {
      throw error
    },
  })
  onTestFinished(() => mailer.stop())
  return mailer
}
async function queue(personId: string, mailer?: Mailer, title = 'Hello'): Promise<void> {
  await entities.ask('mail', `7.acme.${personId}`, { type: 'QueueMail', personId, title, by, at: clock.now() })
  mailer?.wake(entities.lastPosition())
}
async function eventsOf(personId: string): Promise<readonly { readonly type: string; readonly why?: string }[]> {
  const all = []
  for await (const batch of log.read(`mail-7.acme.${personId}`))
    for (const one of batch) if (isOf('mail', one)) all.push(one.event)
  return all
}
const became = async (personId: string, type: string): Promise<void> =>
  expect.poll(async () => (await eventsOf(personId)).at(-1)?.type, { timeout: 10_000 }).toBe(type)
const attempts = async (personId: string): Promise<number> =>
  (await eventsOf(personId)).filter(({ type }) => type === 'MailAttempted').length
const sent = (): string[] => server.received.flatMap(({ to }) => to)

test('[MAIL-1] what is queued is sent once, whoever queues it again', async () => {
  const mailer = started()
  await queue('eve', mailer)
  await became('eve', 'MailSent')
  await queue('eve', mailer)
  await queue('cody', mailer)
  await became('cody', 'MailSent')
  expect(sent()).toEqual(['eve@example.org', 'cody@example.org'])
})

test('[MAIL-4] after 24 hours a mail is given up, which is recorded', async () => {
  server.answer = () => 'later'
  const mailer = started()
  await queue('eve', mailer)
  for (let hour = 0; hour < 24; hour++) {
    const before = await attempts('eve')
    await expect.poll(async () => clock.pending() > 0).toBe(true)
    clock.advance(3_600_000)
    if (hour < 23) await expect.poll(() => attempts('eve')).toBeGreaterThan(before)
  }
  await became('eve', 'MailGivenUp')
  expect((await eventsOf('eve')).at(-1)?.why).toBe('not within 24 hours; at last: SMTP 451')
  clock.advance(3_600_000)
  expect(sent()).toEqual([])
})

test('[MAIL-4] nor is one sent that waited for longer before anybody could send it', async () => {
  await queue('eve')
  clock.advance(24 * 3_600_000)
  const mailer = started()
  await queue('cody', mailer)
  await became('eve', 'MailGivenUp')
  await became('cody', 'MailSent')
  expect(sent()).toEqual(['cody@example.org'])
})

test('[MAIL-3] a server that does not answer is asked again; one that says no for good is not', async () => {
  server.answer = (address) => (address.startsWith('silent') ? 'silent' : 'never')
  const mailer = started()
  await queue('silent', mailer)
  await expect.poll(() => attempts('silent')).toBe(1)
  await queue('never', mailer)
  await became('never', 'MailGivenUp')
  expect((await eventsOf('never')).at(-1)).toMatchObject({ why: 'SMTP 550' })
  server.answer = () => 'taken'
  await expect.poll(() => clock.pending()).toBeGreaterThan(0)
  clock.advance(60_000)
  await became('silent', 'MailSent')
  expect(sent()).toEqual(['silent@example.org'])
})

test('[MAIL-5] two nodes send one mail', async () => {
  const [one, two] = [started('a'), started('b')]
  for (let n = 0; n < 20; n++) await queue(`p${n}`)
  for (const mailer of [one, two]) mailer.wake(entities.lastPosition())
  for (let n = 0; n < 20; n++) await became(`p${n}`, 'MailSent')
  expect(sent().sort()).toEqual(Array.from({ length: 20 }, (_, n) => `p${n}@example.org`).sort())
})

test('[MAIL-5] an attempt that a node has died in is taken up after two minutes', async () => {
  await queue('eve')
  await entities.ask('mail', '7.acme.eve', { type: 'AttemptMail', node: 'dead', by, at: clock.now() })
  started('b')
  await expect.poll(() => clock.pending()).toBeGreaterThan(0)
  clock.advance(60_000)
  await new Promise((passed) => setTimeout(passed, 50))
  expect(sent()).toEqual([])
  for (let minute = 0; minute < 4; minute++) {
    await expect.poll(() => clock.pending()).toBeGreaterThan(0)
    clock.advance(60_000)
  }
  await became('eve', 'MailSent')
  expect(server.received.map(({ id }) => id)).toEqual([expect.stringMatching(/^<[0-9a-f]{32}@lyceum>$/)])
})

test('[MAIL-9] what another node has begun is tried when two minutes are over, and again soon after that', async () => {
  server.answer = () => 'later'
  await queue('eve')
  await entities.ask('mail', '7.acme.eve', { type: 'AttemptMail', node: 'dead', by, at: clock.now() })
  const mailer = started('b')
  const looked = () => expect.poll(clock.pending, { interval: 2 }).toBe(1)
  for (let seconds = 1; seconds <= 120; seconds++) {
    await looked()
    clock.advance(seconds < 120 ? 1_000 : 900)
    mailer.wake(entities.lastPosition())
  }
  await looked()
  expect(await attempts('eve')).toBe(1)
  clock.advance(100)
  await looked()
  expect(await attempts('eve')).toBe(2)
  server.answer = () => 'taken'
  clock.advance(1_000)
  await became('eve', 'MailSent')
  expect(sent()).toEqual(['eve@example.org'])
})

test('[MAIL-6] names cannot add lines to a mail, and whoever has no address gets none', async () => {
  const mailer = started()
  await queue('eve', mailer, 'Hi\r\nBcc: all@example.org\r\n\r\nBuy!')
  await became('eve', 'MailSent')
  expect(server.received[0]?.to).toEqual(['eve@example.org'])
  const [headers = ''] = server.received[0]?.text.split('\r\n\r\n') ?? []
  expect(headers).not.toMatch(/^Bcc:/im)
  await queue('nobody', mailer)
  await became('nobody', 'MailGivenUp')
})
