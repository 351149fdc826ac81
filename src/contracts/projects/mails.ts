import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Party, type Recorded, Refusal } from '../../../machines/kernel.ts'
import type { MailCommand } from '../../../machines/mail/decide.ts'
import { notAParticipant } from '../../../machines/project/decide.ts'
import { idIn, isOf, type PersonRef, personName } from '../../../machines/stream.ts'
import { projects } from '../../../projections/projects.ts'
import type { BackOff } from '../../back-off.ts'
import type { Node, StoppablePolicy } from '../../delivery/contract.ts'
import { streamLease } from '../../gateway/http/event-streams.ts'
import { keepNewest } from '../../keep-newest.ts'
import { foldHistory } from '../../log/fold-history.ts'
import { type MailAbout, type Mailer, startMailer } from '../../mail/mailer.ts'
import { checkpointFile } from '../../outbound/checkpoint.ts'
import { insist } from '../../outbound/insist.ts'
import { type Outgoing, openWorker, type Worker } from '../../outbound/worker.ts'
import type { ProjectsModel } from './projects-model.ts'
import { texts } from './texts.ts'

/** Somebody who was added to a project. */
interface Added extends Outgoing, PersonRef {
  /** Of the event: what is decided because of it is decided once. */
  readonly addition: string
  readonly project: string
  readonly title: string
  /** They have an open page, which tells them. */
  readonly isTold: boolean
}

/** Older additions are no news. */
const NEWS_MS = 24 * 3_600_000

const BACK_OFF: BackOff = { firstMs: 500, longestMs: 30_000 }
const BATCH = 100
const EVERY_MS = 200
const HURRY_MS = 2_000

/**
 * Whoever writes a log of its own, one process after the other: its lock ends with the process, so an attempt that was
 * begun before is nobody's any more.
 */
const ALONE = 'alone'

type NodeParts = 'log' | 'entities' | 'views' | 'clock' | 'config' | 'leases' | 'follower' | 'streams' | 'onError'
type Parts = Pick<Node, NodeParts> & Pick<ProjectsModel, 'rowOf'>

/** What is heard late is decided by the pages that are open then. */
const HEARD_MS = 5_000
/** Of so many additions this node remembers that a page of its own was told. */
const MAX_TOLD = 10_000

/**
 * Who is added to a project and has no open stream is told by mail, once for each person and project. A follower of the
 * log of its own looks at every addition, so that a crash leaves none out; whether it is told by mail or by page is
 * recorded, so that nobody who looks again decides otherwise. Without SMTP_URL nothing is sent, or kept.
 */
export function projectMails(parts: Parts): StoppablePolicy {
  const { log, entities, views, clock, config, leases, follower, streams, rowOf, onError } = parts
  const { mail, dataDirectory } = config
  const history = foldHistory({ log, fold: projects.fold, weigh: ({ everIn }) => everIn.length })
  const failed = (error: unknown): void => onError(error, 'mail')
  /** By their events: additions that a page of this node has just been told of, which may be shut by now. */
  const told = new Map<string, true>()
  let worker: Worker | undefined
  let mailer: Mailer | undefined

  const added = async (recorded: Recorded): Promise<Added | null> => {
    if (!isOf('project', recorded) || recorded.event.type !== 'MemberAdded') return null
    const { id: addition, stream, revision, event, at } = recorded
    if (clock.now() - at >= NEWS_MS) return null
    const project = await history.at(stream, revision)
    if (!project) throw new Error(`${stream} has lost event ${revision}`)
    const { org, title } = project.state
    const person = { org, id: event.member.id }
    const isHeard = (): boolean => follower.position() >= recorded.position
    await follower.until(isHeard, AbortSignal.timeout(HEARD_MS))
    const isTold = told.has(addition) || ((await leases.count([streamLease(person)]))[0] ?? 0) > 0
    return { ...person, addition, project: idIn('project', stream) ?? '', title, isTold, at }
  }

  const decide = (one: Added, leaving: AbortSignal): Promise<boolean> => {
    const by: Party = { id: 'mailer', org: one.org, role: 'system' }
    const about = { personId: one.id, by, at: one.at } as const
    const command: MailCommand = one.isTold
      ? { type: 'SpareMail', ...about }
      : { type: 'QueueMail', title: one.title, ...about }
    const ask = async () => {
      const answer = await entities.ask('mail', `${one.project}.${personName(one)}`, command, {
        clientId: one.addition,
      })
      // It was decided otherwise before, here or by another node.
      return answer instanceof Refusal && answer.code === 'client-id-reused' ? {} : answer
    }
    return insist(ask, { clock, backOff: BACK_OFF, leaving })
  }

  /** By what they are called now: whoever was added may have changed it since. */
  const write = async ({ id: mail, org, personId: id, title }: MailAbout) => {
    const project = mail.slice(0, mail.indexOf('.'))
    const by: Party = { org, id, role: 'agent' }
    if (notAParticipant((await entities.latest('project', project)).state, by)) return 'they take part no more'
    const { profile } = (await entities.state('person', personName({ org, id }))).state.context
    const text = texts.added(title)
    return profile.email ? { to: profile.email, subject: text, text: `${text}\n` } : 'no address is known'
  }

  return {
    categories: ['mail', 'project'],
    onEvent(recorded) {
      if (mail !== null && isOf('project', recorded) && recorded.event.type === 'MemberAdded') {
        const { id } = recorded.event.member
        const org = rowOf(recorded.stream)?.org
        if (org === undefined || streams.countOf(org, id) === 0) return
        told.set(recorded.id, true)
        keepNewest(told, MAX_TOLD)
      }
      if (isOf('mail', recorded) && recorded.event.type === 'MailQueued') mailer?.wake(recorded.position)
    },
    async start() {
      if (mail === null) return
      const { smtpPost } = await import('../../mail/smtp.ts') // with a library that nobody else needs
      worker = openWorker<Added>({
        ...{ log, clock, backOff: BACK_OFF, batch: BATCH, everyMs: EVERY_MS, hurryMs: HURRY_MS },
        begins: 'end',
        checkpoints: checkpointFile(join(dataDirectory, 'mail.json')),
        outgoing: added,
        async deliver(batch, leaving) {
          for (const one of batch) if (!(await decide(one, leaving))) return false
          return true
        },
        observer: {
          setAside: ({ stream, position, why }) => failed(new Error(`${stream} at ${position} is passed over: ${why}`)),
          failed,
        },
      })
      const node = config.eventStoreUrl === null ? ALONE : randomBytes(8).toString('hex')
      mailer = startMailer({ entities, views, clock, post: smtpPost(mail), node, write, onError: failed })
    },
    async stop() {
      await Promise.all([worker?.stop(), mailer?.stop()])
    },
  }
}
