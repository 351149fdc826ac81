import { hash, timingSafeEqual } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { tokenFrom } from '../auth/tokens.ts'
import { failed } from './errors.ts'
import type { HttpEnv } from './middleware.ts'

export interface MetricsRouteParts {
  readonly metrics: { page(): Promise<string>; readonly contentType: string }
  /** `METRICS_TOKEN`; null: they are open to everybody. */
  readonly token: string | null
}

/** `GET /metrics`, for Prometheus. */
export function metricsRoute(app: OpenAPIHono<HttpEnv>, { metrics, token }: MetricsRouteParts): void {
  let making: Promise<string> | undefined
  /** Made once for all who ask meanwhile. */
  const page = (): Promise<string> => {
    making ??= metrics.page().finally(() => {
      making = undefined
    })
    return making
  }

  app.get('/metrics', async (c) => {
    if (token !== null && !isSame(tokenFrom(c.req.header('Authorization')) ?? '', token)) {
      c.header('WWW-Authenticate', 'Bearer')
      return failed(c, 401, 'token-missing', 'send the METRICS_TOKEN of this server as Authorization: Bearer')
    }
    return c.body(await page(), 200, { 'Content-Type': metrics.contentType })
  })
}

/** In a time that does not tell how much of it was right: of digests, which are all of one length. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digestOf(one), digestOf(other))

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer')
