import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { SECRET } from '../support/server.ts'
import { type Attacking, again, everybody, flood } from './attacking.ts'
import { frameOf, type Raw } from './raw.ts'

const POLLING = '/socket.io/?EIO=4&transport=polling'

/** Holds what it has until the end, or until it is cut off. */
const held = async (it: Attacking, raw: Raw): Promise<void> => {
  await Promise.race([raw.closed, it.rest(Number.POSITIVE_INFINITY)])
}

/** Before anybody knows who they are: attachments that were promised and never end. */
export const attachments = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.stranger(),
      async (raw) => {
        await raw.send('4599999-["x",{"_placeholder":true,"num":0}]')
        const part = frameOf(Buffer.alloc(2_400_000), { opcode: 2 })
        for (let n = 0; n < 10 && raw.isOpen() && !it.isOver(); n++)
          await Promise.race([raw.write(part), it.rest(1_000)])
        await held(it, raw)
      },
    ),
  )

/** The same by somebody who is let in. */
export const attachmentsInside = (it: Attacking): Promise<void> =>
  everybody(it, (lane) =>
    again(
      it,
      () => it.socket('visitor', `mallory-${lane}`),
      async (raw) => {
        await raw.send('4599999-["visitor_msg",{"_placeholder":true,"num":0}]')
        const part = frameOf(Buffer.alloc(2_400_000), { opcode: 2 })
        for (let n = 0; n < 10 && raw.isOpen() && !it.isOver(); n++)
          await Promise.race([raw.write(part), it.rest(1_000)])
        await held(it, raw)
      },
    ),
  )

/** 2.4 MB of a message whose end never comes. */
export const fragments = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.stranger(),
      async (raw) => {
        await raw.send(`42["x","${'x'.repeat(60_000)}`, { isLast: false })
        for (let n = 1; n < 40 && raw.isOpen() && !it.isOver(); n++)
          await Promise.race([raw.send('x'.repeat(60_000), { opcode: 0, isLast: false }), it.rest(1_000)])
        await held(it, raw)
      },
    ),
  )

/** A frame says that 2.4 MB come, and they come but for the last byte. */
export const unfinishedFrames = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.stranger(),
      async (raw) => {
        await Promise.race([raw.write(frameOf('x'.repeat(2_400_000)).subarray(0, -1)), it.rest(1_000)])
        await held(it, raw)
      },
    ),
  )

/** Opens a polling connection by hand, because its answer is not JSON. */
async function polled(it: Attacking): Promise<{ readonly raw: Raw; readonly sid: string } | null> {
  const raw = await it.tcp()
  const sid = new Promise<string | null>((resolve) => {
    let text = ''
    raw.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const found = /"sid":"([\w-]+)"/.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
    void raw.closed.then(() => resolve(null))
  })
  await raw.write(`GET ${POLLING} HTTP/1.1\r\nHost: ${it.host}\r\n\r\n`)
  const found = await Promise.race([sid, it.rest(2_000).then(() => null)])
  if (found !== null) return { raw, sid: found }
  raw.close()
  return null
}

/** Sessions of long polling by the thousand, that nobody asks again. */
export const pollingSessions = (it: Attacking): Promise<void> =>
  everybody(it, async () => {
    while (!it.isOver()) {
      const raw = await it.tcp()
      raw.socket.resume()
      for (let n = 0; n < 200 && raw.isOpen() && !it.isOver(); n++) {
        await raw.write(`GET ${POLLING} HTTP/1.1\r\nHost: ${it.host}\r\n\r\n`)
        if (n % 20 === 0) await it.rest(5)
      }
      raw.close()
    }
  })

/** A POST of long polling that says 2.4 MB and stops before the end. */
export const pollingPosts = (it: Attacking): Promise<void> =>
  everybody(it, async () => {
    while (!it.isOver()) {
      const session = await polled(it)
      if (session === null) {
        await it.rest(50)
        continue
      }
      const { raw, sid } = session
      await raw.write(
        `POST ${POLLING}&sid=${sid} HTTP/1.1\r\nHost: ${it.host}\r\nContent-Type: text/plain\r\n` +
          'Content-Length: 2400000\r\n\r\n',
      )
      await Promise.race([raw.write('x'.repeat(2_399_000)), it.rest(1_000)])
      await held(it, raw)
      raw.close()
    }
  })

/** Comes, is let in, and goes. */
export const connectStorm = (it: Attacking): Promise<void> =>
  everybody(it, (lane) =>
    again(
      it,
      () => it.socket('visitor', `mallory-${lane}`),
      async () => {},
    ),
  )

/** WebSockets that never say who they are. */
export const silentSockets = (it: Attacking): Promise<void> =>
  everybody(it, async () => {
    const raws = await Promise.all(Array.from({ length: 10 }, () => it.stranger()))
    await it.rest(Number.POSITIVE_INFINITY)
    for (const raw of raws) raw?.close()
  })

/** Upgrades of a session of long polling, many at once, none finished. */
export const upgrades = (it: Attacking): Promise<void> =>
  everybody(it, async () => {
    while (!it.isOver()) {
      const session = await polled(it)
      if (session === null) {
        await it.rest(50)
        continue
      }
      const raws: (Raw | null)[] = []
      for (let n = 0; n < 10 && !it.isOver(); n++) raws.push(await it.stranger({ query: `sid=${session.sid}` }))
      for (const raw of raws) void raw?.send('2probe')
      await it.rest(20)
      for (const raw of [...raws, session.raw]) raw?.close()
    }
  })

/** Each token names another key. */
export const kids = (it: Attacking): Promise<void> =>
  everybody(it, (lane) =>
    again(
      it,
      async () => {
        const kid = randomBytes(200).toString('hex')
        const token = await new SignJWT({ org_id: 'acme', role: 'agent' })
          .setProtectedHeader({ alg: 'HS256', kid })
          .setSubject(`mallory-${lane}`)
          .sign(new TextEncoder().encode(`not ${SECRET}`))
        return it.stranger({ query: `auth=${token}` })
      },
      async () => {},
    ),
  )

/** Tokens that are good for two seconds, of one person. */
export const expiring = (it: Attacking): Promise<void> =>
  everybody(it, async (lane) => {
    while (!it.isOver()) {
      const token = await it.token('agent', `mallory-${lane}`, {}, 2)
      const raw = await it.stranger({ headers: `Authorization: Bearer ${token}\r\n` })
      if (raw === null) {
        await it.rest(50)
        continue
      }
      await raw.send('40')
      raw.socket.resume()
      await held(it, raw)
      raw.close()
    }
  })

/** Noise where a handshake is meant. */
export const noise = (it: Attacking): Promise<void> =>
  everybody(it, () =>
    again(
      it,
      () => it.tcp(),
      async (raw) => {
        raw.socket.resume()
        await flood(it, raw, () => randomBytes(16_384))
      },
    ),
  )
