/** So long may the long work of one turn of the event loop take, all of it together. */
const SLICE_MS = 1
/**
 * Turns between two slices. A message passes four or five of them on its way to its ack: so it meets one slice at most,
 * and not one in each. Where nobody else has work they cost next to nothing.
 */
const REST_TURNS = 8

/** When the long work of this turn began, milliseconds. */
let began: number | undefined
let isEnding = false
/** Turns since the last slice. */
let rested = 0
const waiting: (() => void)[] = []

/**
 * To be asked after each step of a long work: undefined, or what is to be waited for, because the long work of this
 * turn, whoever's it is, has had its time. A step should take less than a millisecond.
 */
export function slice(): Promise<void> | undefined {
  if (began === undefined && waiting.length > 0) return nextTurn()
  if (began === undefined) begin()
  else if (performance.now() - began >= SLICE_MS) return nextTurn()
  return undefined
}

/**
 * Resolves in a later turn. Of all who wait like this one goes on after some turns, first come first served: of eight
 * long reads at once a turn holds a slice of one, and sockets are read between.
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
  if (began !== undefined) rested = 0
  began = undefined
  if (waiting.length === 0) return
  if (++rested < REST_TURNS) {
    endLater()
    return
  }
  const next = waiting.shift()
  begin()
  next?.()
}
