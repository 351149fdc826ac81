/** A time zone: what hour and what day it is there. */
export interface Zone {
  /** ISO-8601 with the offset that holds there then, `Z` where there is none. Milliseconds since 1970. */
  iso(ms: number): string
  /** The first moment of a date like 2026-11-21 there, whatever clocks do that night. */
  startOf(date: string): number
}

const DAY_MS = 86_400_000

/** `name`: as the IANA database has it. */
export function zoneOf(name: string): Zone {
  const two = '2-digit'
  const clockThere = new Intl.DateTimeFormat('en', {
    ...{ timeZone: name, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
  })

  /** By how much clocks there are ahead of UTC. */
  const offsetAt = (ms: number): number => {
    const parts = new Map(clockThere.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    const there = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return there - Math.floor(ms / 1_000) * 1_000
  }

  return {
    iso(ms) {
      const offset = offsetAt(ms)
      if (offset === 0) return new Date(ms).toISOString()
      const minutes = Math.abs(offset) / 60_000
      const padded = (count: number): string => String(Math.floor(count)).padStart(2, '0')
      const sign = offset < 0 ? '-' : '+'
      return `${new Date(ms + offset).toISOString().slice(0, -1)}${sign}${padded(minutes / 60)}:${padded(minutes % 60)}`
    },

    startOf(date) {
      const midnight = Date.parse(date) // as if clocks there showed UTC
      const before = offsetAt(midnight - DAY_MS)
      const after = offsetAt(midnight + DAY_MS)
      const starts = [midnight - Math.max(before, after), midnight - Math.min(before, after)]
      const start = starts.find((ms) => offsetAt(ms) === midnight - ms)
      if (start !== undefined) return start
      // There is no such midnight: clocks skip it, and the day begins when they do.
      let [from, to] = starts as [number, number]
      while (to - from > 1) {
        const middle = Math.floor((from + to) / 2)
        if (offsetAt(middle) === before) from = middle
        else to = middle
      }
      return to
    },
  }
}
