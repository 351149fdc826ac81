/** Waits for `work`, but not longer than this. */
export function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, limitMs)
    work.then(() => resolve(), reject).finally(() => clearTimeout(timer))
  })
}
