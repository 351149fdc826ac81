import { describe, expect, test } from 'vitest'
import { absences } from '../../src/presence/absences.ts'

const minMs = 10_000

describe('absences', () => {
  test('one look is not enough', () => {
    expect(absences(minMs).look(['a.anna'], [0], 0)).toEqual([])
  })

  test('who is still absent after the time is gone', () => {
    const absent = absences(minMs)
    absent.look(['a.anna', 'a.bo'], [0, 1], 0)
    expect(absent.look(['a.bo', 'a.anna'], [1, 0], minMs)).toEqual(['a.anna'])
  })

  test('two looks right after each other count as one', () => {
    const absent = absences(minMs)
    absent.look(['a.anna'], [0], 0)
    expect(absent.look(['a.anna'], [0], minMs - 1)).toEqual([])
  })

  test('who was seen in between is absent for the first time again', () => {
    const absent = absences(minMs)
    absent.look(['a.anna'], [0], 0)
    absent.look(['a.anna'], [1], minMs / 2)
    expect(absent.look(['a.anna'], [0], minMs)).toEqual([])
  })

  test('a look at nothing forgets what was seen', () => {
    const absent = absences(minMs)
    absent.look(['a.anna'], [0], 0)
    absent.forget()
    expect(absent.look(['a.anna'], [0], minMs)).toEqual([])
  })
})
