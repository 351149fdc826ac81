import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startEventStore } from './eventstore-standin.ts'

/** An EventStoreDB to which things can be done. */
export interface Store {
  readonly url: string
  /** Crash: what was acknowledged stays. */
  kill(): Promise<void>
  /** Up again after `kill`. */
  start(): Promise<void>
  /** As SIGSTOP: connections stay open, and nothing is answered. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  close(): Promise<void>
}

/**
 * The stand-in, or a real server: that of TEST_EVENTSTORE_URL, to which TEST_EVENTSTORE_CONTROL does what its argument
 * says (a command of the shell; `kill`, `start`, `freeze` or `thaw` is put behind it). Both have to be set.
 */
export async function openStore(): Promise<Store> {
  const { TEST_EVENTSTORE_URL: url = '', TEST_EVENTSTORE_CONTROL: control = '' } = process.env
  if (url === '' || control === '') {
    const server = await startEventStore()
    return {
      url: server.url,
      kill: async () => server.kill(),
      start: server.restart,
      freeze: async () => server.freeze(),
      thaw: async () => server.thaw(),
      close: async () => server.kill(),
    }
  }
  const does = (what: string) => async (): Promise<void> => {
    await promisify(execFile)('/bin/sh', ['-c', `${control} ${what}`])
  }
  const [kill, start, freeze, thaw] = [does('kill'), does('start'), does('freeze'), does('thaw')]
  return { url, kill, start, freeze, thaw, close: async () => {} }
}
