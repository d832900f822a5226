/** Signs requests to Amazon's services, by Signature Version 4. */
import { AwsV4Signer } from 'aws4fetch'

/** Who asks, and which service of which region. */
export interface AwsScope {
  accessKeyId: string
  secretAccessKey: string
  /** Token of credentials that expire; undefined for those that do not. */
  sessionToken: string | undefined
  service: string
  region: string
}

/** A request as it is sent; its body is text, or undefined for none. */
export interface AwsRequest {
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body: string | undefined
}

/**
 * The headers of a request with its signature.
 *
 * @param now epoch milliseconds: Amazon refuses a signature that is some minutes old
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export async function awsHeaders(
  { method, url, headers, body }: AwsRequest,
  { sessionToken, ...scope }: AwsScope,
  now: number,
): Promise<Record<string, string>> {
  const signer = new AwsV4Signer({
    ...scope,
    method,
    url,
    headers: { ...headers },
    datetime: new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, ''),
    ...(body !== undefined && { body }),
    ...(sessionToken !== undefined && { sessionToken }),
  })
  const signed = Object.fromEntries((await signer.sign()).headers)
  // What names the server is set by whoever sends the request.
  delete signed['host']
  return signed
}
