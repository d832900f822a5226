/** Account numbers (IBAN) in texts, by the length of their country and their checksum. Pure. */
import type { Found } from './digit-runs.ts'

/** Characters of an IBAN by its country (the registry of ISO 13616). */
const LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'NO15 BE16 DK18 FI18 FK18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 ' +
    'CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 ' +
    'SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 BI27 ' +
    'DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 NI28 PL28 SV28 BR29 ' +
    'EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const START = /[A-Za-z]{2}\d{2}/g
const CHARACTER = /[A-Za-z0-9]/

/**
 * Where account numbers lie in a text, in their order: in groups, or without spaces. The checksum
 * tells them from other letters and digits, whatever stands around them.
 */
export function ibansIn(text: string): Found[] {
  const found: Found[] = []
  let end = 0
  for (const { index, 0: start } of text.matchAll(START)) {
    const length = LENGTHS[start.slice(0, 2).toUpperCase()]
    if (length === undefined || index < end) continue
    const to = endOf(text, index, length)
    if (to === undefined) continue
    found.push({ from: index, to })
    end = to
  }
  return found
}

/** Where an account number ends that begins at `from`; undefined where none does. */
function endOf(text: string, from: number, length: number): number | undefined {
  let at = from
  let iban = ''
  while (iban.length < length && at < text.length) {
    const character = text[at]!
    const isGap = (character === ' ' || character === '-' || character === '\u00a0') && iban !== ''
    if (CHARACTER.test(character)) iban += character
    else if (!isGap || !CHARACTER.test(text[at + 1] ?? '')) return undefined
    at++
  }
  return iban.length === length && remainder(iban.toUpperCase()) === 1 ? at : undefined
}

/** Remainder by 97 of the number that the rearranged letters and digits make. */
function remainder(iban: string): number {
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}
