/** Objects of S3, or of a server that speaks as it does, as the embedded engine reads them. */
import { Session } from 'chdb'
import { withoutSecrets } from '../models/secret-references.ts'
import { messageOf } from '../runtime/errors.ts'
import { escape } from './port.ts'

/** Where objects are, and who asks for them. */
export interface S3Access {
  /** `https://…`, without a path. */
  endpoint: string
  /** Whose signature requests carry; without it they carry none. */
  key: { id: string; secret: string; sessionToken: string | undefined } | undefined
}

/** An object as it was when it was listed. */
export interface S3Object {
  access: S3Access
  /** `bucket/key`. */
  path: string
  /** Changes with the content. */
  etag: string
  bytes: number
  modifiedMs: number
}

/**
 * An endpoint that is away ends a question within a minute; none sends us to another, which would
 * see what only this one is trusted with. A row has the columns of its file, and none of its name.
 */
export const S3_SETTINGS =
  's3_max_redirects=0, s3_retry_attempts=4, s3_connect_timeout_ms=5000, s3_request_timeout_ms=30000, use_hive_partitioning=0'

/**
 * The table that an object, or every object that a pattern fits, is read as.
 *
 * @param path `bucket/key`; `*`, `**` and `?` in it are those of a pattern
 * @param format of ClickHouse
 */
export function s3Table({ endpoint, key }: S3Access, path: string, format: string): string {
  const quoted = (text: string) => `'${escape(text)}'`
  const secrets = key
    ? [key.id, key.secret, ...(key.sessionToken === undefined ? [] : [key.sessionToken])].map(
        quoted,
      )
    : ['NOSIGN']
  return `s3(${[quoted(`${endpoint}/${encoded(path)}`), ...secrets, quoted(format)].join(', ')})`
}

/** What an address gives another meaning is written in percent; wildcards stay what they are. */
const encoded = (path: string) =>
  encodeURI(path).replaceAll('#', '%23').replaceAll('+', '%2B').replaceAll('%3F', '?')

/**
 * The objects that a pattern fits, by their names; one more than `most` at the most.
 *
 * @throws Error with what the endpoint said, without a secret in it
 */
export async function listS3(access: S3Access, pattern: string, most: number): Promise<S3Object[]> {
  const session = new Session()
  try {
    const answer = await session.queryAsync(
      `SELECT _path, _etag, _size, toUnixTimestamp(_time) FROM ${s3Table(access, pattern, 'One')}
       ORDER BY _path LIMIT ${most + 1} SETTINGS ${S3_SETTINGS}`,
      { format: 'JSONCompact' },
    )
    const { data } = answer.json<{ data: [string, string, string | number, string | number][] }>()
    return data.map(([path, etag, bytes, seconds]) => ({
      access,
      path,
      etag: etag.replaceAll('"', ''),
      bytes: Number(bytes),
      modifiedMs: Number(seconds) * 1000,
    }))
  } catch (error) {
    throw toldWithoutSecrets(error, access)
  } finally {
    session.close()
  }
}

/** What the engine says of a failure, its statement's secrets taken out of it. */
export function toldWithoutSecrets(error: unknown, { key }: S3Access): Error {
  const secrets = key ? [key.secret, key.sessionToken ?? '', key.id] : []
  return new Error(withoutSecrets(messageOf(error), secrets))
}
