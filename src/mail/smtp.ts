import { createTransport } from 'nodemailer'

/** A mail as it is handed over. */
export interface Mail {
  /** The same for a mail that is handed over again: whoever takes it can drop the repeat. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/**
 * What a mail server made of it. `later`: it did not answer, or not now. `never`: it will not take this one. `why`
 * holds no addresses: it is recorded.
 */
export type Posted = { readonly kind: 'taken' } | { readonly kind: 'later' | 'never'; readonly why: string }

export interface Post {
  /** Never rejects. */
  send(mail: Mail): Promise<Posted>
  close(): void
}

export interface SmtpOptions {
  /** `smtp://…` or `smtps://…`; may hold a password. */
  readonly url: string
  readonly from: string
  /** For each step of the conversation. Default 15 s. */
  readonly timeoutMs?: number
}

/** At most so many conversations at once. */
const CONNECTIONS = 2

/** SMTP (RFC 5321) by nodemailer. */
export function smtpPost({ url, from, timeoutMs = 15_000 }: SmtpOptions): Post {
  const { hostname, port, protocol, username, password } = new URL(url)
  const isSecure = protocol === 'smtps:'
  const auth =
    username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
  const transport = createTransport({
    ...{
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (isSecure ? 465 : 587)),
      secure: isSecure,
      ...auth,
    },
    ...{ pool: true, maxConnections: CONNECTIONS, disableFileAccess: true, disableUrlAccess: true },
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
  })
  return {
    async send({ id, to, subject, text }) {
      try {
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId: `<${id}@lyceum>` })
        return { kind: 'taken' }
      } catch (error) {
        const { responseCode, code = 'no answer' } = error as { readonly responseCode?: number; readonly code?: string }
        const why = responseCode === undefined ? code : `SMTP ${responseCode}`
        // 5yz is for good (RFC 5321, section 4.2.1), where it is about this mail and not about who we are.
        const isForGood =
          responseCode !== undefined && responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')
        return { kind: isForGood ? 'never' : 'later', why }
      }
    },
    close: () => transport.close(),
  }
}
