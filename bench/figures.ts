/** One measured value, printed in one line. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Undefined: measured for the record, nothing is asked of it. */
  readonly target?: { readonly at: 'most' | 'least'; readonly value: number }
  /** What else the reader wants to know: the two sides of a ratio, the spread. */
  readonly note?: string
}

export const atMost = (value: number): Figure['target'] & object => ({ at: 'most', value })
export const atLeast = (value: number): Figure['target'] & object => ({ at: 'least', value })

export const isMet = ({ value, target }: Figure): boolean =>
  target === undefined || (target.at === 'most' ? value <= target.value : value >= target.value)

/** `name   value unit   target   met|MISSED   (note)`. */
export function lineOf(figure: Figure): string {
  const { name, value, unit, target, note } = figure
  const asked = target === undefined ? '' : `${target.at === 'most' ? '≤' : '≥'} ${readable(target.value)}`
  const verdict = target === undefined ? '' : isMet(figure) ? 'met' : 'MISSED'
  const measured = `${readable(value)} ${unit}`.padEnd(16)
  return `  ${name.padEnd(62)} ${measured} ${asked.padEnd(10)} ${verdict.padEnd(7)} ${note ?? ''}`.trimEnd()
}

/** Three significant digits below a thousand, whole numbers above. */
export function readable(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value that a share `q` of the values does not exceed (nearest rank). NaN for no values. */
export function quantile(values: readonly number[] | Float64Array, q: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

/** How many of these times, which are sorted, lie within any stretch of so many milliseconds at most. */
export function mostWithin(times: readonly number[], ms: number): number {
  let most = 0
  let first = 0
  for (const [n, at] of times.entries()) {
    while ((times[first] ?? at) <= at - ms) first++
    most = Math.max(most, n - first + 1)
  }
  return most
}
