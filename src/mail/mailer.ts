import { createHash } from 'node:crypto'
import type { Party } from '../../machines/kernel.ts'
import { Refusal } from '../../machines/kernel.ts'
import { mails } from '../../projections/mails.ts'
import { type BackOff, backOffMs } from '../back-off.ts'
import type { Clock, Timer } from '../clock.ts'
import { forEachLimited } from '../keyed-queue.ts'
import { pause } from '../pause.ts'
import { isDamage, isDamaged } from '../runtime/damaged-entities.ts'
import type { Entities } from '../runtime/entities.ts'
import type { ViewRunner } from '../views/runner.ts'
import type { Mail, Post } from './smtp.ts'

export interface MailerOptions {
  readonly entities: Pick<Entities, 'ask' | 'state'>
  readonly views: Pick<ViewRunner, 'scan' | 'reached'>
  readonly clock: Clock
  readonly post: Post
  /** Tells whoever sends mails of this log from others that may do so at the same time. */
  readonly node: string
  /** What is sent to whom; a text: why nothing is. */
  readonly write: (about: MailAbout) => Promise<Omit<Mail, 'id'> | string>
  readonly onError: (error: unknown) => void
}

/** What is recorded of a mail. */
export interface MailAbout {
  /** Of the mail. */
  readonly id: string
  readonly org: string
  readonly personId: string
  readonly title: string
}

export interface Mailer {
  /** Something was queued, at this position of the log. */
  wake(position: bigint): void
  stop(): Promise<void>
}

const GIVE_UP_MS = 24 * 3_600_000
const BACK_OFF: BackOff = { firstMs: 1_000, longestMs: 15 * 60_000 }
/** As many are tried side by side as the mail server is asked at once. */
const AT_ONCE = 2
/** So many wait at a time, the oldest; others come when there is room. */
const MAX_WAITING = 1_000
const VIEW_WAIT_MS = 2_000
/** Longer than a mail server may take to answer: whoever has been seen at an attempt for so long has died in it. */
const ATTEMPT_MS = 120_000
/** Where somebody else queued it, or a timer was lost with its process. */
const LOOK_EVERY_MS = 60_000

/**
 * Sends what is queued. What is due stands in a view, so nothing is lost with a process; what became of it is recorded,
 * so nothing is sent again. Between handing over and recording a crash sends a repeat with the same Message-ID.
 */
export function startMailer({ entities, views, clock, post, node, write, onError }: MailerOptions): Mailer {
  /** Of those that failed or are left to another node, since this process began. */
  const paused = new Map<string, Paused>()
  let upTo = -1n
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let again = false
  const stopping = new AbortController()

  const ask = async (id: string, org: string, command: { readonly type: 'MarkMailSent' } | Attempt | Over) => {
    const by: Party = { id: 'mailer', org, role: 'system' }
    return entities.ask('mail', id, { ...command, by, at: clock.now() })
  }

  const attempt = async (id: string): Promise<void> => {
    const { state } = await entities.state('mail', id)
    const { org, personId, title, queuedAt } = state.context
    if (!state.matches('queued')) return
    if (clock.now() - queuedAt >= GIVE_UP_MS) {
      const last = paused.get(id)?.why
      return record(id, org, { type: 'GiveMailUp', why: `not within 24 hours${last ? `; at last: ${last}` : ''}` })
    }
    const begun = await ask(id, org, { type: 'AttemptMail', node, ...deadOf(paused.get(id)) })
    if (begun instanceof Refusal) return begun.code === 'mail-under-way' ? leave(id, begun) : later(id)
    const mail = await write({ id, org, personId, title })
    const posted =
      typeof mail === 'string'
        ? ({ kind: 'never', why: mail } as const)
        : await post.send({ ...mail, id: createHash('sha256').update(id).digest('hex').slice(0, 32) })
    if (posted.kind === 'taken') await record(id, org, { type: 'MarkMailSent' })
    else if (posted.kind === 'never') await record(id, org, { type: 'GiveMailUp', why: posted.why })
    else later(id, posted.why)
  }

  /** What was handed over is recorded, however long the log takes, or this process lives. */
  const record = async (id: string, org: string, what: { readonly type: 'MarkMailSent' } | Over): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const answer = await ask(id, org, what)
      if (!(answer instanceof Refusal) || answer.code === 'mail-over' || isDamaged(answer)) break
      await pause(clock, backOffMs(failures, BACK_OFF), stopping.signal)
    }
    paused.delete(id)
  }

  const later = (id: string, why = paused.get(id)?.why): void => {
    const failures = paused.get(id)?.failures ?? 0
    const notBefore = clock.elapsed() + backOffMs(failures, BACK_OFF)
    paused.set(id, { failures: failures + 1, notBefore, ...(why === undefined ? {} : { why }) })
  }

  /** To the node that has begun, for as long as it may take: nothing was tried here, so no wait grows. */
  const leave = (id: string, { details }: Refusal): void => {
    const notBefore = clock.elapsed() + ATTEMPT_MS
    paused.set(id, { failures: 0, ...paused.get(id), notBefore, leftTo: Number(details.attempt) })
  }

  /** It has had its time, and is not over. */
  const deadOf = (its: Paused | undefined): { readonly dead?: number } =>
    its?.leftTo === undefined || clock.elapsed() < its.notBefore ? {} : { dead: its.leftTo }

  const pass = async (): Promise<void> => {
    await views.reached(mails.name, upTo, VIEW_WAIT_MS)
    const { entries } = await views.scan(mails.name, { from: 'due/', to: 'due/~', limit: MAX_WAITING })
    const due = new Set(entries.map(({ key }) => key))
    for (const id of paused.keys()) if (!due.has(id)) paused.delete(id)
    const now = clock.elapsed()
    const ready = [...due].filter((id) => (paused.get(id)?.notBefore ?? 0) <= now)
    await forEachLimited(AT_ONCE, ready, async (id) => {
      if (stopping.signal.aborted) return
      await attempt(id).catch((error: unknown) => {
        onError(error)
        // What was recorded of it, or of its reader, cannot be had: nobody is asked again while this process lives.
        if (isDamage(error)) paused.set(id, { failures: 0, notBefore: Number.POSITIVE_INFINITY })
        else later(id)
      })
    })
  }

  const look = (): void => {
    timer?.cancel()
    if (stopping.signal.aborted) return
    if (running) {
      again = true
      return
    }
    again = false
    running = pass()
      .catch(onError)
      .finally(() => {
        running = undefined
        const next = Math.min(
          ...[...paused.values()].map(({ notBefore }) => notBefore),
          clock.elapsed() + LOOK_EVERY_MS,
        )
        if (again) look()
        else if (!stopping.signal.aborted) timer = clock.after(Math.max(100, next - clock.elapsed()), look)
      })
  }
  look()

  return {
    wake(position) {
      if (position > upTo) upTo = position
      look()
    },
    async stop() {
      stopping.abort()
      timer?.cancel()
      post.close()
      await running
    },
  }
}

interface Paused {
  readonly failures: number
  /** By elapsed time. */
  readonly notBefore: number
  readonly why?: string
  /** Another node's attempt, which was seen under way. */
  readonly leftTo?: number
}

interface Attempt {
  readonly type: 'AttemptMail'
  readonly node: string
  readonly dead?: number
}

interface Over {
  readonly type: 'GiveMailUp'
  readonly why: string
}
