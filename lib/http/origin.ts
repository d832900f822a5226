/**
 * Whether a request was meant for us: its `Host` is a name of ours, and a page that sends it is a
 * page of ours. A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding) or post
 * blindly; a program that sends no `Origin` is no page.
 */
export interface AddressedRequest {
  method: string
  host: string | undefined
  origin: string | undefined
  /** The header `Sec-Fetch-Site`, which browsers send and pages cannot change. */
  fetchSite: string | undefined
  /** The header `Sec-Fetch-Mode`: `navigate` is a person who follows a link. */
  fetchMode: string | undefined
}

/** Why a request is refused that came under a foreign name or from a foreign page. */
export interface Refusal {
  status: 421 | 403
  detail: string
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const WILDCARD = new Set(['0.0.0.0', '::', '[::]'])

/**
 * Why a request is refused: 421 for a `Host` that is not ours, 403 for an `Origin` that is not;
 * undefined when it is ours.
 *
 * @param configured the address the server listens on; on `0.0.0.0` or `::` every address in digits
 *   is ours
 * @param allowed further names: `name`, `name:port`, `*.suffix` for every name below, `*` for any
 */
export function refusalOf(
  request: AddressedRequest,
  configured: string,
  allowed: readonly string[],
): Refusal | undefined {
  const host = hostOf(request.host ?? '')
  if (!host || !isOurs(host, configured, allowed))
    return {
      status: 421,
      detail: `the Host ${shown(request.host)} is not served here; PLUMBLINE_ALLOWED_HOSTS names further ones`,
    }
  const { origin } = request
  if (origin !== undefined) {
    const from = hostOf(origin.replace(/^https?:\/\//, ''))
    const same = from && from.name === host.name && from.port === host.port
    if (
      !same &&
      !(
        from &&
        /^https?:\/\//.test(origin) &&
        allowed.some((name) => name !== '*' && matches(from, name))
      )
    )
      return { status: 403, detail: `a page of ${shown(origin)} may not ask here` }
  } else if (isForeignFetch(request))
    return { status: 403, detail: 'a page of another site may not ask here' }
  return undefined
}

interface HostName {
  name: string
  port: string
}

/**
 * What a page elsewhere loads into itself (an image, a script) comes without an `Origin`, and must
 * not run anything.
 */
const isForeignFetch = ({ fetchSite, fetchMode, method }: AddressedRequest) =>
  (fetchSite === 'cross-site' || fetchSite === 'same-site') &&
  !(fetchMode === 'navigate' && method === 'GET')

function hostOf(header: string): HostName | undefined {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::(\d{1,5}))?$/i.exec(header)
  return found ? { name: found[1]!.toLowerCase(), port: found[2] ?? '' } : undefined
}

function isOurs(host: HostName, configured: string, allowed: readonly string[]): boolean {
  if (LOOPBACK.includes(host.name)) return true
  if (host.name === configured.toLowerCase() || host.name === `[${configured.toLowerCase()}]`)
    return true
  if (WILDCARD.has(configured) && /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/.test(host.name)) return true
  return allowed.some((name) => matches(host, name))
}

function matches(host: HostName, pattern: string): boolean {
  if (pattern === '*') return true
  const wanted = pattern.toLowerCase()
  const full = host.port === '' ? host.name : `${host.name}:${host.port}`
  if (wanted.startsWith('*.')) return host.name.endsWith(wanted.slice(1))
  return wanted === host.name || wanted === full
}

const shown = (text: string | undefined) => JSON.stringify((text ?? '').slice(0, 200))
