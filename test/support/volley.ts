import { setTimeout as pause, setImmediate as soon } from 'node:timers/promises'
import type { Client } from './client.ts'

/** One emitted event: its name, then its arguments. */
export type Frame = readonly [name: string, ...args: unknown[]]

/** How an ack looked: `ok`, or the refusal's code, and with protocol 2 where it stands. */
export interface Acked {
  readonly ok: boolean
  readonly code: string
  // biome-ignore lint/suspicious/noExplicitAny: each contract calls the id of what it is about in its own way
  readonly place: any
}

/** What passes between two frames of the n-th volley: mostly nothing, and never an answer that is waited for. */
const PAUSES: readonly (() => Promise<unknown> | undefined)[] = [
  () => undefined,
  () => soon(),
  () => undefined,
  () => pause(Math.random() * 3),
]

/** Emits the frames one after another without waiting for answers. Resolves to all acks, in the order of the frames. */
export async function volley(client: Client, frames: readonly Frame[], nth = 0): Promise<readonly Acked[]> {
  const acks: Promise<Acked>[] = []
  for (const [name, ...args] of frames) {
    acks.push(
      client.ask(name, ...args).then(([ok, error, place]) => ({
        ok: ok === true,
        code: ok === true ? 'ok' : String((place as { code?: string } | undefined)?.code ?? error),
        place,
      })),
    )
    await PAUSES[nth % PAUSES.length]?.()
  }
  return Promise.all(acks)
}

export const codes = (acks: readonly Acked[]): readonly string[] => acks.map(({ code }) => code)
