/** A published shape, structurally a zod schema: it says what it is for, and every name in it is described by it. */
export interface Shape<T = unknown> {
  safeParse(data: unknown): { readonly success: boolean; readonly error?: { readonly message: string } | undefined }
  readonly _output: T
}
