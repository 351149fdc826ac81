import { describe, expect, test } from 'vitest'
import { answerOf } from '../../src/analytics/answer.ts'

const now = Date.UTC(2026, 10, 21)
const answer = (status: number, body: object | string, retryAfter: string | null = null, sent = 3) =>
  answerOf({ status, retryAfter, date: null, body: typeof body === 'string' ? body : JSON.stringify(body) }, sent, now)

describe("Mixpanel's answer", () => {
  test('[MIX-3] a batch is taken only when Mixpanel says so in its own words', () => {
    expect(answer(200, { code: 200, status: 'OK', num_records_imported: 3 })).toEqual({ kind: 'taken' })
    expect(answer(200, '<html>Please log in</html>').kind).toBe('later')
    expect(answer(200, '').kind).toBe('later')
    expect(answer(200, 'null').kind).toBe('later')
  })

  test('[MIX-5] invalid events are known by their index, and the rest as taken', () => {
    const body = {
      code: 400,
      error: 'some',
      num_records_imported: 2,
      failed_records: [{ index: 1, field: 'time', message: 'is odd' }],
    }
    expect(answer(400, body)).toEqual({
      kind: 'invalid',
      events: new Map([[1, 'time: is odd']]),
      times: new Set([1]),
      restTaken: true,
      now,
    })
  })

  test('[MIX-5] the rest does not count as taken when the numbers do not say so', () => {
    const body = {
      code: 400,
      num_records_imported: 1,
      failed_records: [{ index: 1 }, { index: 7 }, null, { index: 'x' }],
    }
    expect(answer(400, body)).toEqual({
      kind: 'invalid',
      events: new Map([[1, 'event: invalid']]),
      times: new Set(),
      restTaken: false,
      now,
    })
  })

  test('[MIX-5] a refusal that names no event is one of the whole batch', () => {
    expect(answer(400, { code: 400, error: 'bad' })).toEqual({ kind: 'refused', why: 'HTTP 400: bad', now })
    expect(answer(413, '<html>too large</html>').kind).toBe('too-large')
  })

  test('[MIX-3] what a proxy refuses is tried again', () => {
    expect(answer(400, '<html>bad request</html>').kind).toBe('later')
  })

  test.each([401, 403, 404])('[MIX-3] status %i is tried again, and says what to check', (status) => {
    expect(answer(status, { code: status, error: 'no' })).toMatchObject({
      kind: 'later',
      why: expect.stringContaining('MIXPANEL_TOKEN'),
    })
  })

  test('[MIX-4] Retry-After is seconds or a date', () => {
    const busy = { code: 429, error: 'slow down' }
    expect(answer(429, busy)).toMatchObject({ waitMs: null })
    expect(answer(429, busy, '7')).toMatchObject({ waitMs: 7_000 })
    expect(answer(503, busy, 'Sat, 21 Nov 2026 00:01:00 GMT')).toMatchObject({ waitMs: 60_000 })
    expect(answer(503, busy, 'Fri, 20 Nov 2026 00:00:00 GMT')).toMatchObject({ waitMs: 0 })
    expect(answer(503, busy, 'soon')).toMatchObject({ waitMs: null })
  })
})
