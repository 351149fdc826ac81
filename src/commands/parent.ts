const LOOK_MS = 1_000

/** Calls `end` once when the process that started this one is gone: where nobody passes its end on. */
export function whenParentEnds(end: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return
    clearInterval(timer)
    end()
  }, LOOK_MS).unref()
}

/** On Windows the number stays what it was. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
