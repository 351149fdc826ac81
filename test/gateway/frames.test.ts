import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Company, company } from '../contracts/company.ts'
import type { Client } from '../support/client.ts'
import { frameOf, type RawSocket, rawSocket } from '../support/raw-socket.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

let server: TestServer
let acme: Company
let ann: Client
beforeAll(async () => {
  server = await startServer({ env: { RATE_PER_PERSON: '400' } })
  acme = company(server)
  ann = await acme.join('agent', 'ann')
})
afterAll(async () => {
  acme.close()
  await server.stop()
})

/** Others go on, and nothing is to be complained about. */
async function undisturbed(): Promise<void> {
  expect(await ann.ask('staff_join', { room: 'nowhere' })).toEqual([false, expect.stringMatching(/^no-such-chat/)])
  expect(server.output()).not.toMatch(/unhandled|uncaught|"level":[56]0/i)
}

/** `isStubborn`: it does not agree to the end of a connection. */
async function stranger(isStubborn = false): Promise<RawSocket> {
  const socket = await rawSocket(server.url, '', isStubborn)
  onTestFinished(() => socket.close())
  await socket.text((text) => text.startsWith('0{'))
  return socket
}

async function known(id: string, role = 'visitor', isStubborn = false): Promise<RawSocket> {
  const socket = await stranger(isStubborn)
  socket.write(frameOf(`40{"token":"${await tokenFor(role, id, acme.org)}"}`))
  await socket.text((text) => text.startsWith('40{'))
  return socket
}

const acks = ({ texts }: RawSocket): readonly string[] => texts.filter((text) => text.startsWith('43'))

test('[FLOOD-3] whoever has not said who they are sends 64 KiB at once, and not a byte more', async () => {
  const socket = await stranger()
  socket.write(frameOf(`40{"token":"${'x'.repeat(65_000)}"}`))
  expect(await socket.text((text) => text.startsWith('44'))).toContain('"code":401') // read, and refused
  const another = await stranger()
  another.write(frameOf('40{"token":"', { whole: 65_537 })) // the rest never comes
  await another.closed
  await undisturbed()
})

test('[FLOOD-3] somebody who is known sends more, but only where they are known', async () => {
  const socket = await known('vera')
  const large = JSON.stringify({ text: 'x'.repeat(100_000) })
  socket.write(frameOf(`421["visitor_first_msg",${large}]`))
  expect(await socket.text((text) => text.startsWith('431'))).toContain('bad-request')
  socket.write(frameOf(`42/ws/messages,2["send_message",${large}]`))
  await socket.closed
  await undisturbed()
})

test('[FLOOD-3] binary parts are thrown away, and the call that brings them is refused', async () => {
  const socket = await known('vito')
  socket.write(frameOf('451-7["visitor_first_msg",{"text":{"_placeholder":true,"num":0}}]'))
  expect(await socket.text((text) => text.startsWith('437'))).toMatch(/^437\[false,"bad-request: /)
  socket.write(frameOf(Buffer.alloc(60_000), { opcode: 2 }))
  socket.write(frameOf('462-9["x"]')) // an answer to nothing
  for (const _ of [1, 2]) socket.write(frameOf(Buffer.alloc(10), { opcode: 2 }))
  socket.write(frameOf('428["visitor_first_msg",{"text":"after it"}]'))
  expect(await socket.text((text) => text.startsWith('438'))).toBe('438[true,null]')
  socket.write(frameOf(Buffer.alloc(10), { opcode: 2 })) // of no call
  await socket.closed
  await undisturbed()
})

test('[FLOOD-5] what strangers of one address have begun to send holds 4 MiB, and then nobody’s more', async () => {
  const half = frameOf('40{"token":"'.padEnd(40_000, 'x'), { whole: 65_000 })
  const sockets = await Promise.all(Array.from({ length: 120 }, () => stranger()))
  let closed = 0
  for (const socket of sockets) void socket.closed.then(() => closed++)
  for (const socket of sockets) socket.write(half)
  await expect.poll(() => closed, { timeout: 10_000 }).toBeGreaterThanOrEqual(120 - 104) // 104 x 40,000 = 4 MiB
  await undisturbed()
  for (const socket of sockets) socket.close()
  const next = await stranger() // there is room again
  next.write(half)
  next.write(Buffer.from('x'.repeat(25_000 - 2)))
  next.write('"}')
  expect(await next.text((text) => text.startsWith('44'))).toContain('"code":401')
})

test('[FLOOD-7] names that Socket.IO keeps for itself are names that nobody knows', async () => {
  const socket = await known('vincent')
  const names = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']
  for (const [i, name] of names.entries()) socket.write(frameOf(`42${i}["${name}",{}]`))
  socket.write(frameOf('4299["visitor_first_msg",{"text":"still here"}]'))
  expect(await socket.text((text) => text.startsWith('4399'))).toBe('4399[true,null]')
  expect(acks(socket)).toHaveLength(1)
})

test('[FLOOD-2] nothing but refusals: not read for a while each time, and in the end cut off', async () => {
  const kinds = {
    refused: (i: number) => `42${i}["staff_join",{"room":"x"}]`,
    unknown: () => '42["nonsense",{}]',
    elsewhere: (i: number) => `40/nowhere-${i},`,
  }
  const took = Object.entries(kinds).map(async ([name, frame]) => {
    const socket = await known(`flood-${name}`)
    const flood = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => frameOf(frame(i))))
    const began = performance.now()
    const writing = setInterval(() => socket.write(flood), 100)
    await socket.closed.finally(() => clearInterval(writing))
    return performance.now() - began
  })
  expect(Math.min(...(await Promise.all(took))), 'four pauses of a second').toBeGreaterThan(4_000)
  await expect.poll(() => server.output().match(/"why":"nothing but refusals"/g)).toHaveLength(3)
  await undisturbed()
})

test('[FLOOD-1] what comes faster than anybody may ask is left unread, and none of it is lost', async () => {
  const pongs = Buffer.concat(
    Array.from({ length: 1_000 }, (_, i) => (i % 2 ? frameOf('', { opcode: 10 }) : frameOf('3'))),
  )
  const socket = await known('pia')
  for (let i = 0; i < 8; i++) socket.write(pongs)
  socket.write(frameOf('421["visitor_first_msg",{"text":"after them"}]'))
  expect(await socket.text((text) => text.startsWith('431'))).toBe('431[true,null]')
  await undisturbed()
})

test('[FLOOD-1] a stranger has less, over long polling, too, where too much ends the connection', async () => {
  const path = `${server.url}/socket.io/?EIO=4&transport=polling`
  const { sid } = JSON.parse((await (await fetch(path)).text()).slice(1))
  const body = Array.from({ length: 200 }, () => '3').join('\x1e')
  await fetch(`${path}&sid=${sid}`, { method: 'POST', body }).catch(() => undefined)
  expect((await fetch(`${path}&sid=${sid}`)).status, 'unknown by now').toBe(400)
})

test('[FLOOD-1] whoever goes on sending on a connection that was ended is not read for long', async () => {
  const socket = await known('pim', 'visitor', true)
  socket.write(frameOf('2')) // a ping is the server's to send: that ends it
  const after = frameOf('x'.repeat(1_000))
  const writing = setInterval(() => socket.write(after), 1)
  await socket.closed.finally(() => clearInterval(writing))
  await undisturbed()
})

test('[FLOOD-9] what ends a connection may stand anywhere in what is held back', async () => {
  const pong = frameOf('3')
  const reserved = frameOf('x', { opcode: 11 }) // known only where it is read
  const left = frameOf('', { opcode: 8 })
  for (const end of [frameOf('2'), frameOf('4nothing'), left, reserved])
    for (let before = 28; before < 36; before++) {
      const socket = await known('pat')
      socket.write(Buffer.concat([...Array<Buffer>(before).fill(pong), end, ...Array<Buffer>(40).fill(pong)]))
      await socket.closed
    }
  await undisturbed()
})

test('[FLOOD-1] what is too much to be read as JSON is refused unread', async () => {
  const socket = await known('vasco')
  const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join()
  socket.write(frameOf(`421["visitor_first_msg",{${keys}}]`))
  expect(await socket.text((text) => text.startsWith('431'))).toMatch(/^431\[false,"bad-request: content must be/)
  socket.write(frameOf(`422["visitor_first_msg",{"text":"${'::'.repeat(30_000)}"}]`))
  expect(await socket.text((text) => text.startsWith('432'))).toBe('432[true,null]')
})

test('[FLOOD-1] a request of long polling with more packets than anybody has is not taken apart', async () => {
  const path = `${server.url}/socket.io/?EIO=4&transport=polling`
  const Authorization = await tokenFor('visitor', 'vance', acme.org)
  const { sid } = JSON.parse((await (await fetch(path, { headers: { Authorization } })).text()).slice(1))
  await fetch(`${path}&sid=${sid}`, { method: 'POST', body: '40' })
  expect(await (await fetch(`${path}&sid=${sid}`)).text()).toContain('40{')
  const body = Array.from({ length: 20_000 }, () => '4').join('\x1e')
  await fetch(`${path}&sid=${sid}`, { method: 'POST', body }).catch(() => undefined)
  expect((await fetch(`${path}&sid=${sid}`)).status, 'unknown by now').toBe(400)
  await undisturbed()
})
