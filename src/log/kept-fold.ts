import { slice } from '../slices.ts'
import type { Log, Recorded } from './log.ts'

/**
 * What one stream comes to, kept: each look reads only what came since the last one, a slice at a time. The state goes
 * on changing: whoever needs it as it is takes what they need before they wait for anything else.
 */
export class KeptFold<S> {
  readonly #log: Pick<Log, 'read'>
  readonly #stream: string
  readonly #grow: (state: S | undefined, recorded: Recorded) => S | undefined
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined
  #seq = -1
  state: S | undefined

  constructor(
    log: Pick<Log, 'read'>,
    stream: string,
    grow: (state: S | undefined, recorded: Recorded) => S | undefined,
  ) {
    this.#log = log
    this.#stream = stream
    this.#grow = grow
  }

  /**
   * What is recorded by now. A reading that is under way may have missed it; all who come meanwhile share the next one.
   */
  catchUp(): Promise<void> {
    if (!this.#reading) return this.#start()
    const again = () => {
      this.#next = undefined
      return this.#start()
    }
    this.#next ??= this.#reading.then(again, again)
    return this.#next
  }

  #start(): Promise<void> {
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    this.#reading = reading
    return reading
  }

  async #read(): Promise<void> {
    for await (const batch of this.#log.read(this.#stream, { from: this.#seq + 1 }))
      for (const recorded of batch) {
        if (recorded.revision <= this.#seq) continue
        this.state = this.#grow(this.state, recorded)
        this.#seq = recorded.revision
        const turn = slice()
        if (turn) await turn
      }
  }
}
