import { openEmbeddedViews } from '../../src/views/embedded.ts'

/**
 * Adds one to the row `count` as often as told, each time by compare-and-set, and prints how often it was not the
 * first. Also run as a process of its own: `node embedded-counter.ts <path> <table> <times>`.
 */
export async function count(path: string, table: string, times: number): Promise<number> {
  const store = await openEmbeddedViews(path)
  let lost = 0
  for (let done = 0; done < times; ) {
    const { upTo, rows } = await store.read(table, ['count'])
    const row = ((rows[0] as number | undefined) ?? 0) + 1
    const next = { position: (upTo?.position ?? 0n) + 1n, id: `event-${row}` }
    if (await store.commit(table, upTo, next, [{ key: 'count', row, added: [], removed: [] }])) done++
    else lost++
    // Lets this process's read snapshot go, as any real work does.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await store.close()
  return lost
}

const [, script, path, table, times] = process.argv
if (script === import.meta.filename && path && table) console.log(await count(path, table, Number(times)))
