/**
 * Which addresses a request that a model file asks for may go to: public ones, and what the
 * operator allows besides. Pure.
 */
import { BlockList, isIP } from 'node:net'

/** What may be reached besides public addresses. */
export interface AllowedAddresses {
  loopback: boolean
  private: boolean
  /** Networks and single addresses that are named. */
  named: BlockList
  /** Addresses that are named one by one: only these open what tells secrets of a machine. */
  single: ReadonlySet<string>
}

type Network = readonly [address: string, prefix: number]

const listOf = (networks: readonly Network[]): BlockList => {
  const list = new BlockList()
  for (const [address, prefix] of networks)
    list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return list
}

/** Where clouds tell a machine its secrets; some of these are public addresses. */
const METADATA = listOf([
  ['169.254.169.254', 32],
  ['169.254.170.2', 32],
  ['169.254.170.23', 32],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['fd00:ec2::254', 128],
  ['fd00:ec2::23', 128],
  ['fd20:ce::254', 128],
])
const LOOPBACK = listOf([
  ['127.0.0.0', 8],
  ['::1', 128],
])
const PRIVATE = listOf([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
])
/** Neither public nor anybody's network: link-local, multicast, reserved, of documents. */
const OTHER = listOf([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
])

/**
 * Reads the setting: `loopback`, `private`, addresses and networks (`10.1.0.0/16`), separated by
 * commas; '' allows public addresses alone.
 *
 * @throws {RangeError} with the part that is none of these
 */
export function parseAllowed(text: string): AllowedAddresses {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const networks = parts.filter((part) => part !== 'loopback' && part !== 'private').map(networkOf)
  return {
    loopback: parts.includes('loopback'),
    private: parts.includes('private'),
    named: listOf(networks),
    single: new Set(
      networks.flatMap(([address, prefix]) =>
        prefix === (isIP(address) === 6 ? 128 : 32) ? [canonical(address)] : [],
      ),
    ),
  }
}

function networkOf(part: string): Network {
  const [address = '', prefix, ...more] = part.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN
  if (family === 0 || more.length > 0 || !(bits <= most))
    throw new RangeError(
      `${part} is neither loopback nor private, nor an address or network such as 10.1.0.0/16`,
    )
  return [address, bits]
}

/**
 * Why a request may not go to an address; undefined where it may. An IPv4 address that an IPv6 one
 * holds (mapped, NAT64, 6to4) is judged as the address it leads to.
 *
 * @param address as a look-up gives it, without brackets
 */
export function addressProblem(address: string, allowed: AllowedAddresses): string | undefined {
  const plain = canonical(address.split('%', 1)[0]!)
  const inner = innerOf(plain)
  if (inner !== undefined) return addressProblem(inner, allowed)
  const family = isIP(plain)
  if (family === 0) return `${address} is no address`
  const isIn = (list: BlockList) => list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  if (isIn(METADATA))
    return allowed.single.has(plain) ? undefined : `${address} tells secrets of its machine`
  if (isIn(allowed.named)) return undefined
  if (isIn(LOOPBACK)) return allowed.loopback ? undefined : `${address} is a loopback address`
  if (isIn(PRIVATE)) return allowed.private ? undefined : `${address} is a private address`
  return isIn(OTHER) ? `${address} is no public address` : undefined
}

/** One spelling of an address. */
const canonical = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

/** The IPv4 address that an IPv6 one leads to. */
function innerOf(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const groups = groupsOf(address)
  const zeros = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  const at = (index: number) => {
    const [high = 0, low = 0] = groups.slice(index)
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  // ::ffff:a.b.c.d, ::ffff:0:a.b.c.d and, long out of use, ::a.b.c.d.
  if (zeros(0, 5) && groups[5] === 0xffff) return at(6)
  if (zeros(0, 4) && groups[4] === 0xffff && groups[5] === 0) return at(6)
  if (zeros(0, 6) && groups[6] !== 0) return at(6)
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return at(6)
  return groups[0] === 0x2002 ? at(1) : undefined
}

/** The eight groups of an address in its canonical spelling. */
function groupsOf(address: string): number[] {
  const [left = '', right] = address.split('::')
  const numbers = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [first, last] = [numbers(left), numbers(right ?? '')]
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}
