import type { Member } from './house.ts'
import { say } from './narrate.ts'

/** Somebody at the HTTP side of the server, whose requests are told as they are made. */
export interface Caller {
  /** What the answer has in `data`; a refusal is an error. `path` is what follows `/api/v1`. */
  // biome-ignore lint/suspicious/noExplicitAny: resources are JSON of many shapes
  ask(method: string, path: string, body?: object): Promise<any>
  /** The answer as it is. */
  text(path: string): Promise<string>
}

export function caller(url: string, who: string, { token }: Member): Caller {
  const send = async (method: string, path: string, body?: object): Promise<string> => {
    say(who, `▸ ${method} ${withShortIds(path)}${gist(body)}`)
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} of ${who} was answered ${response.status}: ${text}`)
    return text
  }
  return {
    ask: async (method, path, body) => JSON.parse(await send(method, path, body)).data,
    text: (path) => send('GET', path),
  }
}

/** Of an id, as much as tells it from others on a screen. */
const withShortIds = (path: string): string => path.replaceAll(/([A-Za-z0-9_-]{6})[A-Za-z0-9_-]{14,}/g, '$1…')

function gist(body: object | undefined): string {
  const { title, full_name, rating, answers } = (body ?? {}) as {
    title?: string
    full_name?: string
    rating?: number
    answers?: readonly number[]
  }
  const words = title ?? full_name
  if (words !== undefined) return `  “${words}”`
  if (answers !== undefined) return `  answers ${answers.join(', ')}`
  return rating === undefined ? '' : `  ${rating} of 5`
}
