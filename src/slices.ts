/** So long may the long work of one turn of the event loop take, all of it together. */
const SLICE_MS = 1

/** When the long work of this turn began, milliseconds. */
let began: number | undefined
let isEnding = false
const waiting: (() => void)[] = []

/**
 * To be asked after each step of a long work: undefined, or what is to be waited for, because the long work of this
 * turn, whoever's it is, has had its time. A step should take less than a millisecond.
 */
export function slice(): Promise<void> | undefined {
  if (began === undefined) begin()
  else if (performance.now() - began >= SLICE_MS) return nextTurn()
  return undefined
}

/**
 * Resolves in a later turn. Of all who wait like this one goes on in each turn, first come first served: of eight long
 * reads at once a turn holds a slice of one, and sockets are read between.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    endLater()
  })
}

function begin(): void {
  began = performance.now()
  endLater()
}

function endLater(): void {
  if (!isEnding) setImmediate(end)
  isEnding = true
}

function end(): void {
  isEnding = false
  began = undefined
  const next = waiting.shift()
  if (next === undefined) return
  begin()
  next()
}
