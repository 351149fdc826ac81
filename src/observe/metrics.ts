import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { analyticsMetrics } from './analytics-metrics.ts'

/** What is read only when somebody asks for `/metrics`. Positions are positions of the log, as numbers. */
export interface Gauges {
  sockets(): number
  roomsAwake(): number
  /** People whose profiles are in memory. */
  profiles(): number
  /** Position of the last event that this node has pushed. */
  pushedPosition(): bigint
  /**
   * By view: position it is true at (null = nothing yet), events' worth of lag is not computed because positions have
   * gaps.
   */
  /** Of the keys of an identity provider, where there is one. */
  readonly keys: (() => { readonly ageMs: number; readonly isFailing: boolean }) | undefined
  /** The earliest event that this process knows to be missing in the log, if it has seen the log's past change. */
  readonly logDiffersFrom: () => bigint | undefined
  views(): Readonly<Record<string, { readonly position: bigint | null; readonly parked: number }>>
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** Everything that `/metrics` shows. What runs per command is a lookup in a map and an addition. */
export function openMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const commands = new Counter({
    name: 'lyceum_commands_total',
    help: 'Commands by name and outcome (done, or the refusal code)',
    labelNames: ['command', 'outcome'],
    registers,
  })
  const commandSeconds = new Histogram({
    name: 'lyceum_command_seconds',
    help: 'From the arrival of a command to its ack',
    buckets: SECONDS,
    registers,
  })
  const appendSeconds = new Histogram({
    name: 'lyceum_append_seconds',
    help: 'From asking the log to append to its durable answer',
    buckets: SECONDS,
    registers,
  })
  const events = new Counter({
    name: 'lyceum_events_appended_total',
    help: 'Events that this node appended',
    registers,
  })
  const pushes = new Counter({
    name: 'lyceum_pushes_total',
    help: 'Notices pushed to at least one socket',
    labelNames: ['notice'],
    registers,
  })
  const unknown = new Counter({
    name: 'lyceum_unknown_events_total',
    help: 'Emitted events whose name no contract knows',
    registers,
  })
  const errors = new Counter({
    name: 'lyceum_errors_total',
    help: 'Errors that nobody expected; each has a log line',
    labelNames: ['where'],
    registers,
  })
  const lag = new Histogram({
    name: 'lyceum_follower_lag_seconds',
    help: 'From the recording of an event to its pushes, by the log’s clock',
    buckets: SECONDS,
    registers,
  })
  const readers = new Counter({
    name: 'lyceum_slow_readers_cut_off_total',
    help: 'Clients that were disconnected because they did not read what was pushed to them',
    registers,
  })
  const flooders = new Counter({
    name: 'lyceum_flooders_cut_off_total',
    help: 'Clients that were disconnected because they flooded the server',
    registers,
  })
  const putOff = new Counter({
    name: 'lyceum_connections_put_off_total',
    help: 'Connections that could not be let in for the moment; their clients come back by themselves',
    labelNames: ['code'],
    registers,
  })
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()

  const counts = new Map<string, { inc(): void }>()
  const count = (family: string, counter: Counter<string>, ...labels: string[]): void => {
    const key = `${family} ${labels.join(' ')}`
    let child = counts.get(key)
    if (!child) {
      child = counter.labels(...labels)
      counts.set(key, child)
    }
    child.inc()
  }

  return {
    command(name: string, outcome: string, milliseconds: number): void {
      count('commands', commands, name, outcome)
      commandSeconds.observe(milliseconds / 1000)
    },
    appended(milliseconds: number, number: number): void {
      appendSeconds.observe(milliseconds / 1000)
      events.inc(number)
    },
    pushed: (notice: string): void => count('pushes', pushes, notice),
    unknownEvent: (): void => unknown.inc(),
    failed: (where: string): void => count('errors', errors, where),
    cutOff: (): void => readers.inc(),
    flooderCutOff: (): void => flooders.inc(),
    putOff: (code: number): void => putOff.inc({ code: String(code) }),
    /** `at` = the log's time of the event, milliseconds. */
    heard: (at: number, now: number): void => lag.observe(Math.max(0, now - at) / 1000),

    analytics: analyticsMetrics(registers),

    /** Registers what is read on demand; once. */
    watch(gauges: Gauges): void {
      const gauge = (name: string, help: string, collect: (this: Gauge<string>) => void, labelNames: string[] = []) =>
        new Gauge<string>({ name, help, labelNames, registers, collect })
      gauge('lyceum_sockets', 'Connected sockets', function () {
        this.set(gauges.sockets())
      })
      gauge('lyceum_rooms_awake', 'Rooms in memory', function () {
        this.set(gauges.roomsAwake())
      })
      gauge('lyceum_profiles', 'People whose profiles are in memory', function () {
        this.set(gauges.profiles())
      })
      const { keys } = gauges
      if (keys) {
        gauge(
          'lyceum_provider_keys_age_seconds',
          'Since the keys in use were asked for; at 86400 nobody gets in',
          function () {
            this.set(keys().ageMs / 1000)
          },
        )
        gauge(
          'lyceum_provider_keys_failing',
          '1: the identity provider did not give its keys when last asked',
          function () {
            this.set(keys().isFailing ? 1 : 0)
          },
        )
      }
      gauge('lyceum_pushed_position', 'Log position of the last event whose pushes are out', function () {
        this.set(Number(gauges.pushedPosition()))
      })
      const differs = 'From here on the log was put back from an older backup or replaced by another one, 0: never seen'
      gauge('lyceum_log_differs_from_position', differs, function () {
        this.set(Number(gauges.logDiffersFrom() ?? 0n))
      })
      gauge(
        'lyceum_view_position',
        'Log position that a view is true at',
        function () {
          for (const [view, { position }] of Object.entries(gauges.views())) this.set({ view }, Number(position ?? -1n))
        },
        ['view'],
      )
      gauge(
        'lyceum_view_parked_rows',
        'Rows that a poison event has stopped, until the view is rebuilt',
        function () {
          for (const [view, { parked }] of Object.entries(gauges.views())) this.set({ view }, parked)
        },
        ['view'],
      )
      gauge('lyceum_event_loop_delay_p99_seconds', 'Event-loop delay since the last look', function () {
        this.set(delay.percentile(99) / 1e9)
        delay.reset()
      })
      gauge('process_resident_memory_bytes', 'Resident memory', function () {
        this.set(process.memoryUsage.rss())
      })
      gauge('process_cpu_seconds_total', 'User and system CPU', function () {
        const { user, system } = process.cpuUsage()
        this.set((user + system) / 1e6)
      })
    },
    contentType: registry.contentType,
    /** The page, in Prometheus' text format. */
    page: (): Promise<string> => registry.metrics(),
    stop: (): void => void delay.disable(),
  }
}
