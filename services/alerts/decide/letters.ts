/** Texts of others as messages show them. */

/** The first letters of a text, none of them cut in two; an ellipsis stands for the rest. */
export function firstLetters(text: string, most: number): string {
  const letters = Array.from(text.slice(0, 2 * most))
  return letters.length <= most ? letters.join('') : `${letters.slice(0, most - 1).join('')}…`
}

/** One line of printable letters, cut where it is long. */
export const shown = (text: string, most: number): string =>
  firstLetters(
    text
      .toWellFormed()
      .replaceAll(/[^\P{C}]/gu, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
    most,
  )
