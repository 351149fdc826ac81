import { supportChatInbound } from '../../src/contracts/support-chat/inbound.ts'

const nobody = (): never => {
  throw new Error('only the names are looked at')
}

/** Every name that a client of the support chat may emit. */
export const chatNames: readonly string[] = Object.keys(
  supportChatInbound({
    entities: { ask: nobody },
    isOurs: nobody,
    handOn: nobody,
    tellContents: nobody,
    queueRoom: nobody,
    perWriter: { take: nobody },
    visitorChats: { askLatest: nobody, open: nobody, movedSince: nobody },
    replays: { start: nobody, stop: nobody, forget: nobody },
  }).rows,
)
