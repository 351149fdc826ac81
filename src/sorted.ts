import { slice } from './slices.ts'

const PIECE = 500

/** Texts in the order of their characters, sorted a slice at a time: tens of thousands take longer than a turn may. */
export async function sorted(texts: readonly string[]): Promise<readonly string[]> {
  let runs: string[][] = []
  for (let from = 0; from < texts.length; from += PIECE) {
    runs.push(texts.slice(from, from + PIECE).sort())
    await slice()
  }
  while (runs.length > 1) {
    const merged: string[][] = []
    for (let n = 0; n < runs.length; n += 2) merged.push(await merge(runs[n] ?? [], runs[n + 1] ?? []))
    runs = merged
  }
  return runs[0] ?? []
}

async function merge(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const both: string[] = []
  let l = 0
  let r = 0
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]]
    const isLeft = b === undefined || (a !== undefined && a <= b)
    both.push((isLeft ? a : b) ?? '')
    if (isLeft) l++
    else r++
    if (both.length % PIECE === 0) await slice()
  }
  return both
}
