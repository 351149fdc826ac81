/**
 * The size of a test that meets many people, many moments or much chance: the quick one that `npm test` has time for,
 * or the whole one of `npm run torture`. Both prove the same rule; the whole one meets more of them.
 */
export const sized = (quick: number, whole: number): number => (process.env.TORTURE === undefined ? quick : whole)
