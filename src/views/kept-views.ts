import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outage } from '../outage.ts'
import { openEmbeddedViews } from './embedded.ts'
import { type ViewStore, ViewsDamaged, ViewsUnavailable } from './store.ts'

/** What the operator is told of the directory of the views. */
export interface ViewsTold {
  /** Once, until it can be worked with again. */
  away(why: unknown): void
  back(): void
  /** Everything in it is made again. */
  madeAgain(why: string): void
}

const RETRY_MS = 1_000
/** lmdb writes through mapped memory when it opens a directory: without room it would end the process. */
const ROOM_BYTES = 256 * 1024
const CHECK_MS = 60_000

/**
 * Embedded views of a node that serves, which can be thrown away: a directory that cannot be opened (a full disk) is
 * tried again whenever it is asked for, a second later at the earliest; one that holds what nobody wrote is removed and
 * begun anew, and the views are made again from the log. What the process before did not close in order is read as a
 * whole before it is used.
 */
export function keptViews(path: string, told: ViewsTold, calmMs?: number): ViewStore {
  const mark = join(path, 'closed')
  const file = join(path, 'data.mdb')
  let store: Promise<ViewStore> | undefined
  /** Why they cannot be opened. */
  let failed: { readonly error: unknown; readonly retryAt: number } | undefined
  const trouble = outage({ began: told.away, ended: told.back }, calmMs)
  let isClosed = false

  const opened = async (): Promise<ViewStore> => {
    await mkdir(path, { recursive: true })
    const isAsClosed = (await readFile(mark, 'utf8').catch(() => '')) === stampOf(file)
    await rm(mark, { force: true })
    await writeFile(join(path, 'room'), Buffer.alloc(ROOM_BYTES))
    await rm(join(path, 'room'))
    const damage = isAsClosed || !existsSync(file) ? null : await damageIn(path)
    if (damage !== null) await thrownAway(damage)
    return openEmbeddedViews(path)
  }

  const thrownAway = async (why: string): Promise<void> => {
    told.madeAgain(why)
    await rm(path, { recursive: true, force: true })
    await mkdir(path, { recursive: true })
  }

  const ready = (): Promise<ViewStore> => {
    if (isClosed) throw new ViewsUnavailable('the embedded views are closed')
    if (failed && performance.now() < failed.retryAt) throw unavailable(failed.error)
    store ??= opened().catch((error: unknown) => {
      store = undefined
      failed = { error, retryAt: performance.now() + RETRY_MS }
      throw unavailable(error)
    })
    return store
  }

  /** Once for each time that it is opened. */
  const makeAgain = (damaged: ViewStore, { message }: ViewsDamaged): void => {
    const before = store
    store = undefined
    store = (async () => {
      if ((await before) !== damaged) return (await before) ?? opened()
      await damaged.close()
      await thrownAway(message)
      return opened()
    })()
    store.catch(() => (store = undefined))
  }

  const use = async <T>(work: (store: ViewStore) => Promise<T>, writes = false): Promise<T> => {
    let its: ViewStore | undefined
    try {
      its = await ready()
      const done = await work(its)
      if (writes) trouble.worked()
      return done
    } catch (error) {
      if (error instanceof ViewsDamaged && its) makeAgain(its, error)
      else if (!isClosed) trouble.failed(error)
      throw error
    }
  }

  return {
    live: (view) => use((its) => its.live(view)),
    promote: (view, previous, table) => use((its) => its.promote(view, previous, table)),
    read: (table, keys) => use((its) => its.read(table, keys)),
    scan: (table, options) => use((its) => its.scan(table, options)),
    commit: (table, from, to, changes) => use((its) => its.commit(table, from, to, changes), true),
    async close() {
      isClosed = true
      const its = await store?.catch(() => undefined)
      if (!its) return
      await its.close()
      await writeFile(mark, stampOf(file)).catch(() => undefined) // then it is read as a whole
    },
  }
}

const unavailable = (cause: unknown): ViewsUnavailable =>
  new ViewsUnavailable(`the embedded views cannot be opened: ${(cause as Error).message}`, { cause })

/** What changes when somebody writes to a file. */
function stampOf(file: string): string {
  if (!existsSync(file)) return 'none'
  const { size, mtimeMs } = statSync(file)
  return `${size} ${mtimeMs}`
}

/** What is wrong with them; null = nothing. */
function damageIn(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'check-views.ts'), path], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: CHECK_MS,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk}`.slice(0, 10_000)))
    child.once('error', (error) => resolve(`they could not be looked through: ${error.message}`))
    child.once('close', (code, signal) => {
      const message = /^\w*Error: (.*)$/m.exec(said)?.[1]
      resolve(code === 0 ? null : `they could not be read (${message ?? signal ?? `exit code ${code}`})`)
    })
  })
}
