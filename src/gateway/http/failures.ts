import { z } from '@hono/zod-openapi'

const ErrorBody = z
  .object({ error: z.object({ code: z.string().openapi({ example: 'bad-credentials' }), message: z.string() }) })
  .openapi('Error')
const answer = (description: string) => ({ description, content: { 'application/json': { schema: ErrorBody } } })

/** What any route may answer with, besides its own answer: one entry for each status that a refusal can have. */
export const FAILURES = {
  400: answer('The request is not of the documented shape'),
  401: answer('The token or the credentials are missing or wrong'),
  403: answer('Not for this role'),
  404: answer('Unknown, or of another organisation'),
  409: answer('Not in this state'),
  410: answer('Deleted from the store'),
  413: answer('Too large'),
  429: answer('Too often; Retry-After says when again'),
  503: answer('Not now: try again'),
}
