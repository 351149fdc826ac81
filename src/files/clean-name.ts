const MAX_NAME = 200
/** With its dot. What is longer is no extension, but a part of the name. */
const EXTENSION = /\.[^.]{1,20}$/u

/** The name without its path and without what could deceive; with its extension, and never empty. */
export function cleanName(name: string): string {
  const base = withoutHidden(name).split(/[/\\]/).at(-1)?.trim() ?? ''
  const extension = EXTENSION.exec(base)?.[0] ?? ''
  const stem = base.slice(0, base.length - extension.length).replace(/^[\s.]+/, '')
  const cut = [...stem].slice(0, MAX_NAME - [...extension].length).join('')
  return `${withoutHidden(cut).trim() || 'file'}${extension}`
}

/**
 * What shows nothing: controls, halves of surrogate pairs, separators of lines, fillers of Hangul, and format
 * characters, also those that turn the direction of text around (`gpj.exe` must not look like `exe.jpg`). The signs of
 * category Cf that are drawn, of Arabic, Syriac and Kaithi, stay; of joiners see STRAY_JOINER.
 */
const HIDDEN = new RegExp(
  '[[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\u034f\\u2065\\u115f\\u1160\\u3164\\uffa0]' +
    '--[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}\\u200c\\u200d]]',
  'gv',
)

/** Scripts in which a joiner decides how the letters beside it are drawn. */
const JOINED = 'Arab Syrc Mong Nkoo Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt'
  .split(' ')
  .map((script) => `\\p{scx=${script}}`)
  .join('')
const PICTURE = '\\p{Extended_Pictographic}'

/**
 * A joiner (U+200C, U+200D) that joins nothing: one stays within a word of those scripts, and U+200D between the
 * pictures that make one emoji, the first of which may have a colour of skin or a variation selector.
 */
const STRAY_JOINER = new RegExp(
  `(?<![${JOINED}])\\u200c|\\u200c(?![${JOINED}])|` +
    `(?<![${JOINED}${PICTURE}\\p{Emoji_Modifier}\\ufe0f])\\u200d|\\u200d(?![${JOINED}${PICTURE}])`,
  'gv',
)

const withoutHidden = (text: string): string => text.replace(HIDDEN, '').replace(STRAY_JOINER, '').normalize('NFC')
