/**
 * The size of a fault test: the quick one that `npm test` has time for, or the whole one of `npm run torture`. Both
 * prove the same rule; the whole one meets more moments, more people and more at once.
 */
export const sized = (quick: number, whole: number): number => (process.env.TORTURE === undefined ? quick : whole)
