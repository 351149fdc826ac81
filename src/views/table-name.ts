import type { Projection } from '../../projections/projection.ts'

/** Of what stores keep beside the rows: 1 = the id of the last event. Tables of another format are built anew. */
const FORMAT = 1

/** What a table's name says of the projection that folded it; grows with its version, and with the stores' format. */
export const versionOf = ({ version }: Projection): number => FORMAT * 1_000 + version

/** A table's name taken apart: `<view>.v<version>.<generation>`. */
export interface TableName {
  readonly view: string
  readonly version: number
  readonly generation: string
}

/** `inbox.v2.k3f9` */
export const tableName = ({ view, version, generation }: TableName): string => `${view}.v${version}.${generation}`

/** The view that a table belongs to. Throws for a name without a dot: the store could not find the table's view. */
export function viewOf(table: string): string {
  const dot = table.indexOf('.')
  if (dot < 1) throw new Error(`a table is named <view>.<anything>, got ${JSON.stringify(table)}`)
  return table.slice(0, dot)
}

/** Null for a name that this program did not make. */
export function parseTableName(table: string): TableName | null {
  const parts = /^([^.]+)\.v(\d+)\.(.+)$/.exec(table)
  const [, view, version, generation] = parts ?? []
  return view === undefined || version === undefined || generation === undefined
    ? null
    : { view, version: Number(version), generation }
}

/**
 * The table to build when `live` (null = none) does not serve this version. Everybody who looks at the same live table
 * gets the same name: several nodes build one table together, and a half-built one is resumed by whoever comes next.
 */
export function successor(view: string, version: number, live: string | null): string {
  const generation = live === null ? 'first' : (parseTableName(live)?.generation ?? 'first')
  return tableName({ view, version, generation })
}
