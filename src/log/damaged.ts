/** What is wrong with one stream, and what an operator can do. */
export interface Damage {
  readonly stream: string
  /** The first event that cannot be had. */
  readonly revision: number
  readonly why: string
  readonly remedy: string
  /** The stream was deleted: all of it is gone, not a part. */
  readonly isGone: boolean
}

/**
 * Events of one stream cannot be had, though they were recorded: other programs, or administrators, did something to
 * it. Nothing can be decided on what is left. Repeating does not help; other streams are as they were.
 */
export class StreamDamaged extends Error implements Damage {
  override readonly name = 'StreamDamaged'
  readonly stream: string
  readonly revision: number
  readonly why: string
  readonly remedy: string
  readonly isGone: boolean

  constructor({ stream, revision, why, remedy, isGone }: Damage, cause?: unknown) {
    super(`${stream} is damaged at event ${revision}: ${why}. ${remedy}`, { cause })
    this.stream = stream
    this.revision = revision
    this.why = why
    this.remedy = remedy
    this.isGone = isGone
  }
}

/** Events are hidden by the stream's metadata, of which the keys that EventStoreDB knows are told. */
export const hidden = (stream: string, revision: number, metadata: string): StreamDamaged =>
  new StreamDamaged({
    stream,
    revision,
    why: `events are hidden by its metadata (${metadata})`,
    remedy:
      `Take that out of the metadata stream $$${stream}; what a scavenge has removed since only a backup has, ` +
      'so set none of it on streams of Lyceum',
    isGone: false,
  })

export const deleted = (stream: string): StreamDamaged =>
  new StreamDamaged({
    stream,
    revision: 0,
    why: 'somebody deleted the stream',
    remedy:
      `Until a scavenge its events come back when $tb is taken out of the metadata stream $$${stream}; later only a ` +
      'backup has them',
    isGone: true,
  })

export const tombstoned = (stream: string, cause: unknown): StreamDamaged =>
  new StreamDamaged(
    {
      stream,
      revision: 0,
      why: 'the stream was tombstoned by somebody else and can never be used again',
      remedy: 'Only a backup from before has its events; without one leave it as it is',
      isGone: true,
    },
    cause,
  )

/** Our own append was taken where nothing should have been. */
export const renumbered = (stream: string, revision: number): StreamDamaged =>
  new StreamDamaged({
    stream,
    revision,
    why: 'somebody deleted the stream, and its numbering went on from there',
    remedy: 'Only a backup from before has all of its events; without one leave it as it is',
    isGone: false,
  })

export const foreign = (stream: string, revision: number, type: string): StreamDamaged =>
  new StreamDamaged({
    stream,
    revision,
    why: `another program wrote an event there (${type.slice(0, 100)})`,
    remedy:
      'EventStoreDB cannot take it out, only a backup from before is without it; stop that program, and let nobody ' +
      'but the user of EVENTSTORE_URL write to streams of Lyceum',
    isGone: false,
  })

/** What stood in a file of the embedded log is not there any more as it was written. */
export const spoilt = (stream: string, revision: number, why: string): StreamDamaged =>
  new StreamDamaged({ stream, revision, why, remedy: RECOVER, isGone: false })

export const RECOVER =
  'Put LYCEUM_DATA/log back from a backup, or copy all that is whole with: lyceum log recover --to <directory>'

/** The damage that an error tells of; undefined: of something else. */
export function damageIn(error: unknown): StreamDamaged | undefined {
  if (error instanceof StreamDamaged) return error
  return error instanceof Error && error.cause instanceof StreamDamaged ? error.cause : undefined
}

/** `error`: why the event cannot be read, or cannot have happened. */
export const unusable = (stream: string, revision: number, error: unknown): StreamDamaged =>
  new StreamDamaged(
    {
      stream,
      revision,
      why: error instanceof Error ? error.message : String(error),
      remedy: 'What was recorded stays; a release that understands the event goes on with it',
      isGone: false,
    },
    error,
  )
