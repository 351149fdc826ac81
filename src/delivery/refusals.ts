/** The statuses of HTTP that a refusal can have. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 503

/**
 * What the refusals of a contract are called: code -> status and sentence. In a sentence `{why}` stands for the detail
 * `why`, and `{name:staffId}` for the display name of the person whose id the detail `staffId` is. In an ack the
 * sentence follows the code, `chat-closed: this chat has ended`; `exact` sentences are a document's own and stand
 * alone.
 */
export type Refusals = Readonly<Record<string, readonly [status: RefusalStatus, sentence: string, exact?: 'exact']>>
