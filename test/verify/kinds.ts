import { type Category, catalogue } from '../../machines/catalogue.ts'

/** Every event that entities of these categories record. */
export const eventsOf = (...categories: readonly (Category & keyof typeof catalogue)[]): readonly string[] =>
  categories.flatMap((category) => Object.keys(catalogue[category].events))
