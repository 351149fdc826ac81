import { z } from '@hono/zod-openapi'

/** An object of exactly these fields. */
export type Fields<Shape extends z.ZodRawShape = z.ZodRawShape> = z.ZodObject<Shape, z.core.$strict>

/**
 * A body, or an object within one. An unknown field is refused by its name, together with those that are known: a
 * client that misspells a field must not believe that it was heard.
 */
export const fields = <Shape extends z.ZodRawShape>(shape: Shape): Fields<Shape> => only(shape, 'field')

/** The same for the parameters of a query. */
export const queryOf = <Shape extends z.ZodRawShape>(shape: Shape): Fields<Shape> => only(shape, 'query parameter')

/** A request may hold thousands of unknown names of any length. */
const MAX_NAMED = 3
const MAX_NAME_CHARACTERS = 64

function only<Shape extends z.ZodRawShape>(shape: Shape, what: string): Fields<Shape> {
  const names = Object.keys(shape)
  const known = names.length === 0 ? 'none is known here' : `known are ${names.join(', ')}`
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      const keys = issue.keys as readonly string[] // so zod documents this code
      const unknown = keys.slice(0, MAX_NAMED).map((key) => JSON.stringify(key.slice(0, MAX_NAME_CHARACTERS)))
      return `unknown ${what} ${unknown.join(', ')}: ${known}`
    },
  })
}
