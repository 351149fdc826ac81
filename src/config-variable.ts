import { z } from 'zod'

/** One environment variable, as `lyceum --help` lists it. */
export interface Variable<T = unknown> {
  readonly description: string
  /** What is used when it is unset or empty; null = there is no default, and unset means something of its own. */
  readonly fallback: string | null
  /** Ends the sentence `<NAME> must be …`. */
  readonly expects: string
  /** Never shown in an error: a secret, or an address that may hold a password. */
  readonly secret: boolean
  readonly schema: z.ZodType<T>
}

type Described<T> = Omit<Variable<T>, 'secret'> & { readonly secret?: boolean }
export const required = <T>(it: Described<T> & { readonly fallback: string }): Variable<T> => ({ secret: false, ...it })
export const optional = <T>(it: Omit<Described<T>, 'fallback'>): Variable<T> & { readonly fallback: null } => ({
  secret: false,
  fallback: null,
  ...it,
})

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
export const number = (description: string, fallback: string, [min, max]: readonly [number, number], unit = '') =>
  required({
    description,
    fallback,
    expects: `a whole number${unit && ` of ${unit}`} from ${min} to ${max}`,
    schema: wholeNumber(min, max),
  })
export const milliseconds = (description: string, fallback: string, max: number) =>
  number(description, fallback, [0, max], 'milliseconds')
export const rate = (description: string, fallback: string) => number(description, fallback, [1, 1_000_000])
export const either = <const A extends string, const B extends string>(
  description: string,
  fallback: A | B,
  both: [A, B],
) => required({ description, fallback, expects: both.join(' or '), schema: z.enum(both) })
export const url = (...schemes: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol))
