import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { recordText } from '../../src/log/record.ts'
import { filesIn, newDirectory, openFiles } from './files-world.ts'
import { gather, note, rejection, textOf } from './suite-world.ts'

let path: string
beforeEach(async () => {
  path = await newDirectory()
})
afterEach(() => rmSync(path, { recursive: true }))

const OLD = 'log.mdb'

/** A log as releases of format 1 wrote it; returns the texts of its events. */
async function oldLog(events: number, change: (texts: string[]) => void = () => {}): Promise<readonly string[]> {
  const env = openLmdb({ path: join(path, OLD), overlappingSync: false, maxDbs: 4 })
  const stored = env.openDB<string, number>({ name: 'events', encoding: 'string' })
  const index = env.openDB<number, [string, number]>({ name: 'index', encoding: 'ordered-binary' })
  await env.openDB<number, string>({ name: 'about', encoding: 'json' }).put('format', 1)
  const texts = Array.from({ length: events }, (_, position) => {
    const proposed = note(`event ${position}, größer`)
    const place = { stream: `chat-${position % 7}`, revision: Math.floor(position / 7), id: proposed.id }
    const row = {
      ...codec({}).encode(proposed),
      ...place,
      position: BigInt(position),
      at: 1_700_000_000_000 + position,
    }
    return recordText(row).trimEnd()
  })
  change(texts)
  const writes: Promise<unknown>[] = []
  for (const [position, text] of texts.entries()) {
    writes.push(stored.put(position, text))
    writes.push(index.put([`chat-${position % 7}`, Math.floor(position / 7)], position))
  }
  await Promise.all(writes)
  await env.close()
  return texts
}

describe('[DISK-10] a log of format 1', () => {
  it('is converted at the first start, event by event, and kept under another name', async () => {
    const written = await oldLog(2_500)
    const { log, said } = await openFiles(path)
    const events = await gather(log.readAll())
    expect(events.map(({ position }) => Number(position))).toEqual(written.map((_, position) => position))
    expect(events.map(({ id, at }) => `${id} ${at}`)).toEqual(
      written.map((text) => {
        const { i, a } = JSON.parse(text) as { i: string; a: number }
        return `${i} ${a}`
      }),
    )
    expect((await gather(log.read('chat-3', { from: 100, limit: 1 }))).map(textOf)).toEqual(['event 703, größer'])
    expect(said('info').join('\n')).toContain('was converted to format 2: 2500 events')
    expect(said('info').join('\n')).toContain('is called log.mdb.converted now')
    await log.close()
    const bytes = Buffer.concat(filesIn(path, '.seg').map((file) => readFileSync(file)))
    for (const text of [written[0], written[2_499]]) expect(bytes.includes(`${text}\n`)).toBe(true)
    expect(readdirSync(path)).toContain('log.mdb.converted')
    expect(existsSync(join(path, OLD))).toBe(false)
    const again = await openFiles(path)
    expect(await gather(again.log.readAll())).toHaveLength(2_500)
    expect(again.said('info')).toEqual([])
    await again.log.close()
  })

  it('begins anew when it was broken off', async () => {
    await oldLog(100)
    writeFileSync(join(path, '00000000000000000000.seg'), 'half of something')
    writeFileSync(join(path, '00000000000000000007.idx'), 'and of something else')
    const { log, said } = await openFiles(path)
    expect(await gather(log.readAll())).toHaveLength(100)
    expect(said()).toEqual([])
    await log.close()
  })

  it('is renamed when that alone was missing', async () => {
    await oldLog(10)
    const kept = readFileSync(join(path, OLD))
    await (await openFiles(path)).log.close()
    rmSync(join(path, `${OLD}.converted`))
    writeFileSync(join(path, OLD), kept)
    const { log } = await openFiles(path)
    expect(await gather(log.readAll())).toHaveLength(10)
    expect(existsSync(join(path, OLD))).toBe(false)
    await log.close()
  })

  it('that an older release wrote after the conversion is not put in the place of what was kept', async () => {
    await oldLog(10)
    const kept = readFileSync(join(path, OLD))
    await (await openFiles(path)).log.close()
    writeFileSync(join(path, OLD), 'of an older release')
    expect(String(await rejection(openFiles(path)))).toContain('an older release has run here since')
    expect(readFileSync(join(path, `${OLD}.converted`))).toEqual(kept)
  })

  it('that is cut off is refused by a sentence, and not touched', async () => {
    await oldLog(500)
    truncateSync(join(path, OLD), 40_960)
    const before = readFileSync(join(path, OLD))
    expect(String(await rejection(openFiles(path)))).toMatch(/log\.mdb is cut off: it has 40960 bytes, and should have/)
    truncateSync(join(path, OLD), 0)
    expect(String(await rejection(openFiles(path)))).toContain('does not begin like a log of format 1')
    writeFileSync(join(path, OLD), before)
  })

  it('with an event that is not what stood there is refused by a sentence that names it', async () => {
    await oldLog(20, (texts) => {
      texts[12] = '{"s":"chat-5","r":1,"i":"00'
    })
    expect(String(await rejection(openFiles(path)))).toContain('the event at position 12 of')
    expect(readdirSync(path)).toContain(OLD)
  })

  it('is not read by whoever only looks on', async () => {
    await oldLog(5)
    expect(String(await rejection(openFiles(path, { readOnly: true })))).toContain('start the server once')
  })
})
