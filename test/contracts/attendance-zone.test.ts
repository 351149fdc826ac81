import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { zoneOf } from '../../src/gateway/http/zone.ts'
import { school, TEA } from '../support/attendance.ts'
import { startServer, type TestServer, tokenFor } from '../support/server.ts'

const HOUR_MS = 3_600_000
const startIn = (zone: string, date: string) => new Date(zoneOf(zone).startOf(date)).toISOString()

describe('[ATT-24] a date is the day in that zone', () => {
  test('also one of 23 and one of 25 hours', () => {
    const hours = (zone: string, date: string, next: string) =>
      (zoneOf(zone).startOf(next) - zoneOf(zone).startOf(date)) / HOUR_MS
    expect(startIn('Europe/Warsaw', '2026-03-29')).toBe('2026-03-28T23:00:00.000Z')
    expect(hours('Europe/Warsaw', '2026-03-29', '2026-03-30')).toBe(23)
    expect(hours('Europe/Warsaw', '2026-10-25', '2026-10-26')).toBe(25)
    expect(hours('Australia/Lord_Howe', '2026-04-05', '2026-04-06')).toBe(24.5)
    expect(hours('UTC', '2026-03-29', '2026-03-30')).toBe(24)
  })
  test('also where clocks skip midnight, go back at midnight, or leave a day out', () => {
    expect(startIn('Africa/Cairo', '2024-04-26')).toBe('2024-04-25T22:00:00.000Z') // 00:00 is 01:00
    expect(startIn('America/Sao_Paulo', '2018-11-04')).toBe('2018-11-04T03:00:00.000Z')
    expect(startIn('America/Sao_Paulo', '2018-02-18')).toBe('2018-02-18T03:00:00.000Z')
    expect(startIn('Pacific/Apia', '2011-12-30')).toBe(startIn('Pacific/Apia', '2011-12-31'))
    expect(startIn('Asia/Kathmandu', '2026-01-01')).toBe('2025-12-31T18:15:00.000Z')
  })
  test('times are told with the offset that holds then', () => {
    const iso = (zone: string, time: string) => zoneOf(zone).iso(Date.parse(time))
    expect(iso('Europe/Warsaw', '2026-10-25T00:30:00.5Z')).toBe('2026-10-25T02:30:00.500+02:00')
    expect(iso('Europe/Warsaw', '2026-10-25T01:30:00Z')).toBe('2026-10-25T02:30:00.000+01:00')
    expect(iso('America/St_Johns', '2026-01-01T00:00:00Z')).toBe('2025-12-31T20:30:00.000-03:30')
    expect(iso('UTC', '2026-01-01T00:00:00.001Z')).toBe('2026-01-01T00:00:00.001Z')
  })
})

describe('[ATT-24] LYCEUM_TIME_ZONE', () => {
  const zone = zoneOf('Pacific/Kiritimati') // 14 hours ahead: nearly always another date than in UTC
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ env: { LYCEUM_TIME_ZONE: 'Pacific/Kiritimati' } })
  })
  afterAll(async () => void (await server.stop()))

  test('is what dates in filters of sessions, lessons and the CSV mean, and what heads of the CSV say', async () => {
    const { as, org, course, start } = await school(server)
    const { id, started_at: startedAt } = await start()
    const there = zone.iso(Date.parse(startedAt))
    expect(there.endsWith('+14:00')).toBe(true)
    const today = there.slice(0, 10)
    const dayAfter = (days: number) => new Date(Date.parse(today) + days * 24 * HOUR_MS).toISOString().slice(0, 10)
    const listed = async (query: string) =>
      (await as(TEA, 'GET', `/courses/${course}/attendance-sessions?${query}`)).body.data.map(
        (one: { id: string }) => one.id,
      )
    expect(await listed(`from=${today}&to=${dayAfter(1)}`)).toEqual([id])
    expect(await listed(`from=${dayAfter(-1)}&to=${today}`)).toEqual([])
    expect(await listed(`from=${dayAfter(1)}`)).toEqual([])
    const csv = await fetch(`${server.url}/api/v1/courses/${course}/attendance.csv?from=${today}`, {
      headers: { Authorization: `Bearer ${await tokenFor('teacher', 'tea', org)}` },
    })
    expect((await csv.text()).split(',')[1]).toBe(there)

    const starts_at = new Date(zone.startOf(dayAfter(5)) + 1_000).toISOString()
    await as(TEA, 'POST', '/lessons', { title: 'L', starts_at, planned_minutes: 30 })
    const lessons = async (query: string) => (await as(TEA, 'GET', `/lessons?${query}`)).body.data.length
    expect(await lessons(`from=${dayAfter(5)}&to=${dayAfter(6)}`)).toBe(1)
    expect(await lessons(`to=${dayAfter(5)}`)).toBe(0)
  })
})
