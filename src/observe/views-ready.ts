/**
 * What `/readyz` says of the views: why lists cannot be answered yet, or true. A store that is away is not told here:
 * all nodes would be without traffic, which they can serve.
 */
export function viewsReady(views: Readonly<Record<string, { readonly isMaking: boolean }>>): true | string {
  const making = Object.entries(views).flatMap(([view, { isMaking }]) => (isMaking ? [view] : []))
  return making.length === 0 || `lists are answered 503 until these views are made from the log: ${making.join(', ')}`
}
