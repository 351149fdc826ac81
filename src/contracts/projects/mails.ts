import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Party, Recorded } from '../../../machines/kernel.ts'
import { idIn, isOf, type PersonRef, personName } from '../../../machines/stream.ts'
import { projects } from '../../../projections/projects.ts'
import type { BackOff } from '../../back-off.ts'
import type { Node, StoppablePolicy } from '../../delivery/contract.ts'
import { streamLease } from '../../gateway/http/event-streams.ts'
import { foldHistory } from '../../log/fold-history.ts'
import { type Mailer, startMailer } from '../../mail/mailer.ts'
import { checkpointFile } from '../../outbound/checkpoint.ts'
import { insist } from '../../outbound/insist.ts'
import { type Outgoing, openWorker, type Worker } from '../../outbound/worker.ts'
import { texts } from './texts.ts'

/** Somebody who was added to a project while nobody was looking. */
interface Added extends Outgoing, PersonRef {
  readonly project: string
  readonly title: string
}

const BACK_OFF: BackOff = { firstMs: 500, longestMs: 30_000 }
const BATCH = 100
const EVERY_MS = 200
const HURRY_MS = 2_000

type Parts = Pick<Node, 'log' | 'entities' | 'views' | 'clock' | 'config' | 'leases' | 'onError'>

/**
 * Who is added to a project and has no open stream is told by mail, once for each person and project. A follower of the
 * log of its own looks at every addition, so that a crash leaves none out. Without SMTP_URL nothing is sent, or kept.
 */
export function projectMails({ log, entities, views, clock, config, leases, onError }: Parts): StoppablePolicy {
  const { mail, dataDirectory } = config
  const history = foldHistory({ log, fold: projects.fold, weigh: ({ everIn }) => everIn.length })
  const failed = (error: unknown): void => onError(error, 'mail')
  let worker: Worker | undefined
  let mailer: Mailer | undefined

  const added = async (recorded: Recorded): Promise<Added | null> => {
    if (!isOf('project', recorded) || recorded.event.type !== 'MemberAdded') return null
    const { stream, revision, event, at } = recorded
    const project = await history.at(stream, revision)
    if (!project) throw new Error(`${stream} has lost event ${revision}`)
    const { org, title } = project.state
    const person = { org, id: event.member.id }
    const [open = 0] = await leases.count([streamLease(person)])
    return open > 0 ? null : { ...person, project: idIn('project', stream) ?? '', title, at }
  }

  const queue = (one: Added, leaving: AbortSignal): Promise<boolean> => {
    const by: Party = { id: 'mailer', org: one.org, role: 'system' }
    const command = { type: 'QueueMail', personId: one.id, title: one.title, by, at: one.at } as const
    const ask = () => entities.ask('mail', `${one.project}.${personName(one)}`, command)
    return insist(ask, { clock, backOff: BACK_OFF, leaving })
  }

  /** By what they are called now: whoever was added may have changed it since. */
  const write = async ({ org, personId: id, title }: { org: string; personId: string; title: string }) => {
    const { profile } = (await entities.state('person', personName({ org, id }))).state.context
    const text = texts.added(title)
    return profile.email ? { to: profile.email, subject: text, text: `${text}\n` } : null
  }

  return {
    categories: ['mail'],
    onEvent(recorded) {
      if (isOf('mail', recorded) && recorded.event.type === 'MailQueued') mailer?.wake(recorded.position)
    },
    async start() {
      if (mail === null) return
      const { smtpPost } = await import('../../mail/smtp.ts') // with a library that nobody else needs
      worker = openWorker<Added>({
        ...{ log, clock, backOff: BACK_OFF, batch: BATCH, everyMs: EVERY_MS, hurryMs: HURRY_MS },
        checkpoints: checkpointFile(join(dataDirectory, 'mail.json')),
        outgoing: added,
        async deliver(batch, leaving) {
          for (const one of batch) if (!(await queue(one, leaving))) return false
          return true
        },
        observer: {
          setAside: ({ stream, position, why }) => failed(new Error(`${stream} at ${position} is passed over: ${why}`)),
          failed,
        },
      })
      const node = randomBytes(8).toString('hex')
      mailer = startMailer({ entities, views, clock, post: smtpPost(mail), node, write, onError: failed })
    },
    async stop() {
      await Promise.all([worker?.stop(), mailer?.stop()])
    },
  }
}
