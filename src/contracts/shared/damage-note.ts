/** What clients are told beside a part of something, whose events from `revision` on were damaged in the store. */
export const damageNote = ({ revision }: { readonly revision: number }): string =>
  `This is not all of it: it was damaged in the store, at event ${revision}. What can be read is shown; nothing can ` +
  'be changed in it.'
