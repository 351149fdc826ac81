import { slice } from '../../slices.ts'

/** As `JSON.stringify`, the items of `data` one by one, with turns of the event loop between many of them. */
export async function listText({ data, ...besides }: { readonly data: readonly unknown[] }): Promise<string> {
  const items: string[] = []
  for (const item of data) {
    items.push(JSON.stringify(item))
    const pause = slice()
    if (pause) await pause
  }
  const more = JSON.stringify(besides)
  return `{"data":[${items.join()}]${more === '{}' ? '' : `,${more.slice(1, -1)}`}}`
}
