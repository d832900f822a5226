/** Addresses of callers, and of the proxies whose word about them counts. */
import { isIP } from 'node:net'
import { ConfigError } from '../../runtime/config.ts'

const SETTING = 'PLUMBLINE_TRUSTED_PROXIES'
/** Ranges that have a name: of this machine, of this link, of private networks. */
const NAMED = ['loopback', 'linklocal', 'uniquelocal']

/**
 * The addresses and ranges that a setting lists, separated by commas.
 *
 * @throws {ConfigError} with a sentence for each that is none, or that is every address
 */
export function trustedProxiesOf(setting: string | undefined): string[] {
  const listed = (setting ?? '').split(',').filter((one) => one !== '')
  const problems = listed.flatMap((one) => problemOf(one) ?? [])
  if (problems.length > 0) throw new ConfigError(problems)
  return listed
}

function problemOf(listed: string): string | undefined {
  if (NAMED.includes(listed)) return undefined
  const [address = '', prefix, ...more] = listed.split('/')
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  if (bits === 0 || !isPrefix || more.length > 0)
    return `${SETTING} ${listed} is neither an address, nor a range such as 10.0.0.0/8, nor one of ${NAMED.join(', ')}`
  return Number(prefix) === 0
    ? `${SETTING} ${listed} is every address: anybody could say whom a request comes from`
    : undefined
}

/**
 * What an address counts as: itself for IPv4, mapped into IPv6 or not; its /64 for IPv6, of which a
 * single host has all; `unknown` for what a proxy says that is no address.
 *
 * @example networkOf('2001:db8:1:2:3:4:5:6') // => '2001:db8:1:2::/64'
 */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? []
  if (mapped !== undefined) return mapped
  const version = isIP(address)
  if (version !== 6) return version === 4 ? address : 'unknown'
  const [head = '', tail = ''] = address.split('%')[0]!.toLowerCase().split('::')
  const groups = [head, tail].map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: 8 - groups[0]!.length - groups[1]!.length }, () => '0')
  const all = address.includes('::') ? [...groups[0]!, ...zeros, ...groups[1]!] : groups[0]!
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
