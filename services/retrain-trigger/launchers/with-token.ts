/** Sends a request with the token that its policy asks for, where it names a client. */
import type { OutgoingRequest } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { ClientCredentials } from '../../../schemas/launch-requests.ts'
import type { LaunchOptions } from './job.ts'

/**
 * Sends a request; one whose token is refused (401) is sent once more with a new token, since an issuer
 * may end one before its time.
 *
 * @throws {TokenRefused} where the issuer of the token refuses the client for good
 */
export async function fetchWithToken(
  { fetch, tokens }: Pick<LaunchOptions, 'fetch' | 'tokens'>,
  url: string,
  request: OutgoingRequest,
  client: ClientCredentials | undefined,
): Promise<Response> {
  if (!client) return fetch(url, request)
  const send = async () => {
    const authorization = `Bearer ${await tokens.get(client, request.signal)}`
    return fetch(url, { ...request, headers: { ...request.headers, authorization } })
  }
  const first = await send()
  if (first.status !== 401) return first
  await first.body?.cancel()
  tokens.forget(client)
  return send()
}
