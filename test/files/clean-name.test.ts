import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanName } from '../../src/files/clean-name.ts'

test.each([
  ['../../etc/pass.txt', 'pass.txt'],
  ['C:\\Users\\x\\a.PDF', 'a.PDF'],
  ['  ..hidden.png', 'hidden.png'],
  ['gpj.\u202eexe.png', 'gpj.exe.png'],
  ['a\nb\u0000.txt', 'ab.txt'],
  ['.txt', 'file.txt'],
  ['', 'file'],
  ['..', 'file'],
  ['e\u0301.txt', '\u00e9.txt'],
  [`${'x'.repeat(500)}.txt`, `${'x'.repeat(196)}.txt`],
  // no extension
  ['README', 'README'],
  ['x'.repeat(500), 'x'.repeat(200)],
  [`a.${'x'.repeat(500)}`, `a.${'x'.repeat(198)}`],
  // half a pair, and a whole one
  ['a\ud83d.txt', 'a.txt'],
  ['\ude00a.txt', 'a.txt'],
  ['\u{1f600}.txt', '\u{1f600}.txt'],
  // format characters, and those of them that are drawn
  ['a\u061cb.txt', 'ab.txt'],
  ['a\u00adb.txt', 'ab.txt'],
  ['a\u{e0041}\ufff9\u180e\ufeffb.txt', 'ab.txt'],
  ['a\u3164b.txt', 'ab.txt'],
  ['\u0600\u0661.txt', '\u0600\u0661.txt'],
  // joiners: in words and emoji, and nowhere else
  ['\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt'],
  ['\u0d9a\u0dca\u200d\u0dbb.txt', '\u0d9a\u0dca\u200d\u0dbb.txt'],
  ['\u{1f469}\u{1f3fd}\u200d\u{1f4bb}.txt', '\u{1f469}\u{1f3fd}\u200d\u{1f4bb}.txt'],
  ['\u2764\ufe0f\u200d\u{1f525}.txt', '\u2764\ufe0f\u200d\u{1f525}.txt'],
  ['a\u200db\u200cc.txt\u200d', 'abc.txt'],
  ['\u0645\u200c\u200c\u062e\u200c.txt', '\u0645\u062e.txt'],
  ['\u{1f469}\u200c\u{1f4bb}\u200d.txt', '\u{1f469}\u{1f4bb}.txt'],
  ['\u200d.hidden.txt', 'hidden.txt'],
  [`${'x'.repeat(194)}\u{1f469}\u200d\u{1f4bb}.txt`, `${'x'.repeat(194)}\u{1f469}.txt`],
])('[FILE-8] %j is kept as %j', (sent, kept) => {
  expect(cleanName(sent)).toBe(kept)
})

test('[FILE-8] whatever is sent, what is kept is short, can be sent in a header, and is clean', () => {
  const unit = fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((one) => String.fromCharCode(one)),
    fc.constantFrom('.', '/', '\\', ' ', '\u200c', '\u200d', '\u0645', '\u{1f469}', '\u202e', '\u00ad', '\ufe0f', 'a'),
  )
  const name = fc.array(unit, { maxLength: 300, size: 'max' }).map((units) => units.join(''))
  fc.assert(
    fc.property(name, (sent) => {
      const kept = cleanName(sent)
      expect([...kept].length).toBeLessThanOrEqual(200)
      expect(kept).not.toBe('')
      expect(() => encodeURIComponent(kept)).not.toThrow()
      expect(kept).not.toMatch(/[/\\\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f]/u)
      expect(cleanName(kept)).toBe(kept)
    }),
    { numRuns: 1_000 },
  )
})
