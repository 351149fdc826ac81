import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Event, EventSchema } from '../../machines/kernel.ts'
import { type Codec, codec } from '../../src/log/codec.ts'
import { InvalidAppend, type Meta, UnreadableEvent } from '../../src/log/log.ts'

const meta: Meta = { correlationId: randomUUID(), by: 'acme.ada' }
const event = (type: string, fields: Record<string, unknown>): Event => ({ type, ...fields })

function through(codec: Codec, written: Event, by: Meta = meta): ReturnType<Codec['decode']> {
  const encoded = codec.encode({ id: randomUUID(), event: written, meta: by })
  return codec.decode(encoded.type, JSON.parse(encoded.data), JSON.parse(encoded.meta))
}

const personal: EventSchema = { version: 1, personal: ['name', 'email'], upcasts: {} }

describe('codec', () => {
  it('gives back event and metadata as they were', () => {
    const full: Meta = { ...meta, causationId: randomUUID(), client: { key: 'k', digest: 'd' } }
    expect(through(codec({}), event('Noted', { text: ['𝄞', null] }), full)).toStrictEqual({
      event: { type: 'Noted', text: ['𝄞', null] },
      meta: full,
    })
    expect(through(codec({}), event('Noted', {})).meta).toStrictEqual(meta)
  })

  it(
    '[case 46] writes command and cause under the names that EventStoreDB knows, and no other name ' + 'with a dollar',
    () => {
      const causationId = randomUUID()
      const encoded = codec({}).encode({ id: randomUUID(), event: event('Noted', {}), meta: { ...meta, causationId } })
      expect(JSON.parse(encoded.meta)).toStrictEqual({
        $correlationId: meta.correlationId,
        by: meta.by,
        $causationId: causationId,
      })
    },
  )

  it('keeps the type out of the data', () => {
    const encoded = codec({}).encode({ id: randomUUID(), event: event('Noted', { text: 'x' }), meta })
    expect([encoded.type, JSON.parse(encoded.data)]).toEqual(['Noted', { text: 'x' }])
  })

  it('stores personal fields apart and gives them back in their place', () => {
    const met = event('Met', { name: 'Ada', room: 7 })
    const encoded = codec({ Met: personal }).encode({ id: randomUUID(), event: met, meta })
    expect(JSON.parse(encoded.data)).toStrictEqual({ room: 7, personal: { name: 'Ada' } })
    expect(through(codec({ Met: personal }), met).event).toStrictEqual(met)
  })

  it('leaves a field that is called "personal" alone where a type has no personal fields', () => {
    expect(through(codec({}), event('Noted', { personal: { a: 1 } })).event).toStrictEqual({
      type: 'Noted',
      personal: { a: 1 },
    })
  })

  it('brings an old shape up to date one version at a time', () => {
    const old = codec({}).encode({ id: randomUUID(), event: event('Met', { who: 'ada' }), meta })
    const today = codec({
      Met: {
        version: 3,
        personal: [],
        upcasts: { 1: ({ who }) => ({ person: who }), 2: (fields) => ({ ...fields, greeted: false }) },
      },
    })
    expect(today.decode(old.type, JSON.parse(old.data), JSON.parse(old.meta)).event).toStrictEqual({
      type: 'Met',
      person: 'ada',
      greeted: false,
    })
    expect(through(today, event('Met', { person: 'eve', greeted: true })).event).toStrictEqual({
      type: 'Met',
      person: 'eve',
      greeted: true,
    })
  })

  it('says which upcast is missing', () => {
    const old = codec({}).encode({ id: randomUUID(), event: event('Met', {}), meta })
    const today = codec({ Met: { version: 2, personal: [], upcasts: {} } })
    expect(() => today.decode(old.type, JSON.parse(old.data), JSON.parse(old.meta))).toThrow(
      'Met version 1 is in the log, but the catalogue has no upcast',
    )
  })

  it('[LOG-2] refuses an event of a version that it does not know yet, and says what to do', () => {
    const schema = (version: number): EventSchema => ({ version, personal: [], upcasts: {} })
    const newer = codec({ Met: schema(3) }).encode({ id: randomUUID(), event: event('Met', {}), meta })
    const decode = () => codec({ Met: schema(1) }).decode(newer.type, JSON.parse(newer.data), JSON.parse(newer.meta))
    expect(decode).toThrow(UnreadableEvent)
    expect(decode).toThrow('it is Met version 3, and this release of Lyceum knows Met up to version 1. A newer release')
  })

  it('leaves it to others to refuse a type that it does not know, whatever its version', () => {
    const stored = { ...JSON.parse(codec({}).encode({ id: randomUUID(), event: event('Met', {}), meta }).meta), v: 2 }
    expect(codec({}).decode('Met', { who: 'ada' }, stored).event).toStrictEqual({ type: 'Met', who: 'ada' })
  })

  it('[case 13] refuses what JSON cannot hold and names the type', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    for (const text of [1n, cycle]) {
      const attempt = () => codec({}).encode({ id: randomUUID(), event: event('Noted', { text }), meta })
      expect(attempt).toThrow(InvalidAppend)
      expect(attempt).toThrow('the data of Noted must be JSON')
    }
  })

  it('knows no type by the names that every object has', () => {
    expect(through(codec({}), event('constructor', { a: 1 })).event).toStrictEqual({ type: 'constructor', a: 1 })
  })
})
