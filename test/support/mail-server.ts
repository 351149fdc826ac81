import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A mail as it came in. */
export interface Received {
  readonly to: readonly string[]
  readonly id: string
  readonly text: string
}

export interface MailServer {
  /** `smtp://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
  /** Recipients that were asked about, taken or not. */
  readonly asked: readonly string[]
  /** How it answers for a recipient; default: it takes them. */
  answer: (recipient: string) => 'taken' | 'later' | 'never' | 'silent'
  close(): Promise<void>
}

/** A real SMTP server, by default on a free port. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const received: Received[] = []
  const asked: string[] = []
  const server = new SMTPServer({
    // Whoever holds a connection for later mails keeps no test waiting.
    ...{ authOptional: true, disabledCommands: ['STARTTLS'], logger: false, closeTimeout: 100 },
    onRcptTo({ address }, _session, done) {
      asked.push(address)
      const how = it.answer(address)
      if (how === 'silent') return
      if (how === 'taken') return done()
      done(Object.assign(new Error('no'), { responseCode: how === 'later' ? 451 : 550 }))
    },
    onData(stream, session, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        const id = /^Message-ID: (.*)$/im.exec(text)?.[1]?.trim() ?? ''
        received.push({ to: session.envelope.rcptTo.map(({ address }) => address), id, text })
        done()
      })
    },
  })
  server.on('error', () => {}) // of connections that break
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  const { port: bound } = server.server.address() as AddressInfo
  const it: MailServer = {
    ...{ url: `smtp://127.0.0.1:${bound}`, port: bound, received, asked },
    answer: () => 'taken',
    close: () => new Promise((closed) => server.close(() => closed())),
  }
  return it
}
