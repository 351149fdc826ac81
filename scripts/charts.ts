import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue } from '../machines/catalogue.ts'
import { chartPage } from './chart-page.ts'

/**
 * `npm run charts` draws every machine of the catalogue into `docs/charts/`; `test/charts.test.ts` proves that what is
 * checked in is that.
 */
export const CHARTS = join(import.meta.dirname, '../docs/charts')

/** File name -> page, for all kinds. */
export const charts = (): ReadonlyMap<string, string> =>
  new Map(Object.entries(catalogue).map(([category, { machine }]) => [`${category}.md`, chartPage(category, machine)]))

if (import.meta.main) {
  const pages = charts()
  mkdirSync(CHARTS, { recursive: true })
  for (const file of readdirSync(CHARTS)) if (!pages.has(file)) rmSync(join(CHARTS, file))
  for (const [file, page] of pages) writeFileSync(join(CHARTS, file), page)
  process.stdout.write(`drawn: ${[...pages.keys()].join(', ')}\n`)
}
