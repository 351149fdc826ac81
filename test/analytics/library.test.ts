import mixpanel from 'mixpanel'
import { expect, onTestFinished, test } from 'vitest'
import { startMixpanel } from '../support/mixpanel-standin.ts'
import { TOKEN } from './world.ts'

/** What the library does by itself, which is why only its shaping of events is used: see src/analytics/import.ts. */
test(
  '[MIX-2] [MIX-3] the library alone sends 50 events a request to an endpoint that forgets what is ' +
    'older than five days',
  async () => {
    const standin = await startMixpanel(TOKEN)
    onTestFinished(() => standin.die())
    const client = mixpanel.init(TOKEN, { protocol: 'http', host: new URL(standin.url).host })
    const events = Array.from({ length: 120 }, (_, n) => ({
      event: 'connect',
      properties: { time: Date.now() - (n < 20 ? 6 : 1) * 86_400_000, distinct_id: 'd', $insert_id: `i${n}` },
    }))
    await new Promise<void>((resolve, reject) =>
      client.track_batch(events, (errors) => (errors ? reject(errors[0]) : resolve())),
    )
    expect(standin.largest()).toBe(50)
    expect(standin.counted()).toHaveLength(100)
  },
)
