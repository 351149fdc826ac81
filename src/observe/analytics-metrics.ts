import { Counter, Gauge, type Registry } from '@prometheus-io/client'

/** What `/metrics` shows of the telling of Mixpanel; all zero without a token. `lagMs` is read when somebody asks. */
export function analyticsMetrics(registers: Registry[]) {
  const events = new Counter({
    name: 'lyceum_mixpanel_events_total',
    help: 'Events by what became of them: sent (Mixpanel has them), or set aside (it will never take them)',
    labelNames: ['outcome'],
    registers,
  })
  const retries = new Counter({
    name: 'lyceum_mixpanel_retries_total',
    help: 'Requests to Mixpanel that had to be repeated',
    registers,
  })

  return {
    sent: (number: number): void => events.labels('sent').inc(number),
    setAside: (): void => events.labels('set-aside').inc(),
    retried: (): void => retries.inc(),
    /** Once. */
    watch(lagMs: () => number): void {
      new Gauge({
        name: 'lyceum_mixpanel_lag_seconds',
        help: 'How long the oldest event that Mixpanel has not got has been in the log',
        registers,
        collect() {
          this.set(lagMs() / 1000)
        },
      })
    },
  }
}
