import { tokenFor } from '../test/support/server.ts'
import { quantile } from './figures.ts'
import { ackIn, openWire, type Wire } from './wire.ts'

/**
 * The load generator, a process of its own: connects visitors, agents and a supervisor to one server and lets the
 * visitors write.
 */
export type LoadOrder =
  | {
      readonly do: 'open'
      readonly url: string
      /** More nodes of the same installation: everybody is at one of all of them, in turn. */
      readonly others?: readonly string[]
      readonly org: string
      readonly visitors: number
      readonly agents: number
    }
  /** Every visitor has one message under way, always. */
  | { readonly do: 'closed'; readonly seconds: number }
  /** So many messages a second, whatever the answers do. */
  | { readonly do: 'rate'; readonly perSecond: number; readonly seconds: number }

export interface LoadReport {
  readonly acks: number
  /** Pushes that arrived at the agents and the supervisor. */
  readonly delivered: number
  /** Messages of which a visitor was told before they were acknowledged. */
  readonly toldFirst: number
  /** From the first message to the last ack. */
  readonly seconds: number
  /** Of the ack, milliseconds. */
  readonly p50: number
  readonly p99: number
  /** CPU of the generator itself, as a share of one core. */
  readonly share: number
}

const CONTENT = '{"text":"I cannot find the invoice of last month, where do I have to look for it?","lang":"en"}'
const TICK_MS = 1

const visitors: Wire[] = []
/** When the message with this ack id was sent; 0 = answered. */
let sentAt: number[] = []
let latencies: number[] = []
let delivered = 0
let toldFirst = 0
/** Of each visitor: messages that were acknowledged, and those that they were told of. */
let answers: number[] = []
let own: number[] = []
/** What a visitor does when an answer came. */
let answered: (visitor: number) => void = () => {}

const startsWith = (bytes: Buffer, from: number, text: string): boolean =>
  bytes.toString('latin1', from, from + text.length) === text

async function open({
  url,
  others = [],
  org,
  visitors: count,
  agents,
}: Extract<LoadOrder, { do: 'open' }>): Promise<void> {
  const nodes = [url, ...others]
  let arrived = 0
  const wireOf = async (role: string, id: string, hear: Parameters<typeof openWire>[1]) =>
    openWire(
      {
        url: nodes[arrived++ % nodes.length] ?? url,
        token: await tokenFor(role, id, org),
        query: { role, user_id: id },
      },
      hear,
    )
  const people = Array.from({ length: count }, (_, i) => i)
  for (const i of people) visitors.push(await wireOf('visitor', `v${i}`, (bytes, from) => hearAck(i, bytes, from)))

  const queued = new Map<string, string>()
  let claimed = 0
  let look: () => void = () => {}
  const staff: Wire[] = []
  for (let n = 0; n < agents; n++) {
    staff.push(
      await wireOf('agent', `a${n}`, (bytes, from, to) => {
        if (startsWith(bytes, from, '2["visitor_send"')) delivered++
        else if (bytes[from] === '3'.charCodeAt(0)) claimed++
        else if (n === 0 && startsWith(bytes, from, '2["append_unclaimed_chats"')) {
          const [, { user, room }] = JSON.parse(bytes.toString('utf8', from + 1, to)) as [
            string,
            { user: { id: string }; room: { id: string } },
          ]
          queued.set(user.id, room.id)
        }
        look()
      }),
    )
  }
  await wireOf('supervisor', 's0', (bytes, from) => {
    if (startsWith(bytes, from, '2["new_visitor_msg_for_supervisor"')) delivered++
  })
  const until = (fact: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (fact()) resolve()
      }
      look()
    })

  for (const i of people) {
    visitors[i]?.emit(`2["visitor_first_msg",${CONTENT}]`.replace('2[', `2${9_000_000 + i}[`))
    await until(() => queued.has(`v${i}`))
    staff[i % agents]?.emit(`2${i}["staff_join",{"room":"${queued.get(`v${i}`)}"}]`)
    await until(() => claimed === i + 1)
  }
}

function send(visitor: number): void {
  const id = sentAt.push(performance.now()) - 1
  visitors[visitor]?.emit(`2${id}["visitor_msg",${CONTENT}]`)
}

function hearAck(visitor: number, bytes: Buffer, from: number): void {
  if (startsWith(bytes, from, '2["own_msg"')) {
    own[visitor] = (own[visitor] ?? 0) + 1
    if ((own[visitor] ?? 0) > (answers[visitor] ?? 0)) toldFirst++
  }
  const ack = ackIn(bytes, from)
  if (!ack) return // the visitor is told other things, too
  const sent = sentAt[ack.id]
  if (sent === undefined) return
  if (!startsWith(bytes, ack.at, '[true')) throw new Error(`refused: ${bytes.toString('utf8', from, from + 300)}`)
  latencies.push(performance.now() - sent)
  answers[visitor] = (answers[visitor] ?? 0) + 1
  answered(visitor)
}

/** Runs `work` until it says that nothing more is sent, waits for the last ack and the last push, and reports. */
async function measured(work: () => Promise<void>): Promise<LoadReport> {
  sentAt = []
  latencies = []
  delivered = 0
  toldFirst = 0
  answers = []
  own = []
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const patience = performance.now() + 10_000
  while ((latencies.length < sentAt.length || delivered < 2 * sentAt.length) && performance.now() < patience)
    await pause(1)
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  return {
    acks: latencies.length,
    delivered,
    toldFirst,
    seconds: ms / 1000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    share: (user + system) / 1000 / ms,
  }
}

async function closed(seconds: number): Promise<void> {
  answered = send
  for (let visitor = 0; visitor < visitors.length; visitor++) send(visitor)
  await pause(seconds * 1000)
  answered = () => {}
}

async function rate(perSecond: number, seconds: number): Promise<void> {
  answered = () => {}
  const started = performance.now()
  for (let next = 0; ; ) {
    const elapsed = performance.now() - started
    if (elapsed >= seconds * 1000) return
    for (const due = (elapsed / 1000) * perSecond; next < due; next++) send(next % visitors.length)
    await pause(TICK_MS)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function obey(order: LoadOrder): Promise<LoadReport | null> {
  switch (order.do) {
    case 'open':
      return open(order).then(() => null)
    case 'closed':
      return measured(() => closed(order.seconds))
    case 'rate':
      return measured(() => rate(order.perSecond, order.seconds))
  }
}

process.on('message', (order: LoadOrder) => {
  obey(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
