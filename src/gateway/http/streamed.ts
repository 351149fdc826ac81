import { nextTurn } from '../../slices.ts'

/**
 * A body that is made while it is read: a part is made when the one before was taken, in a turn of its own, and none
 * when nobody reads any more. What fails on the way cuts the answer off.
 */
export function streamed(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await nextTurn()
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        await parts.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
