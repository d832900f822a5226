/** Lists the objects of S3 that a source imports. */
import { listS3, type S3Object } from '../../clickhouse/s3-objects.ts'
import { ConfigError } from '../../runtime/config.ts'
import type { SourceFile } from '../../../schemas/source.ts'
import { accessOf, refusalOf, refusalOfObject, S3_SCHEME } from './s3-access.ts'

/** Objects that one pattern may fit. */
const MOST_OBJECTS = 100_000

/**
 * The objects of a source that a pattern fits, by their names.
 *
 * @param pattern `s3://bucket/folder/*.parquet`
 * @param environment the value of a variable; undefined where it is not set
 * @throws {ConfigError} where the source does not allow it, it fits too many, or a secret is not set
 * @throws Error with what the endpoint said, without a secret in it
 */
export async function s3Files(
  pattern: string,
  { s3 }: Pick<SourceFile, 's3'>,
  environment: (name: string) => string | undefined,
): Promise<S3Object[]> {
  if (!s3) throw new ConfigError([`${pattern}: the source has no s3, which says where that is`])
  const why = refusalOf(pattern, s3)
  if (why) throw new ConfigError([`${pattern} ${why}`])
  const found = await listS3(
    accessOf(s3, environment),
    pattern.slice(S3_SCHEME.length),
    MOST_OBJECTS,
  )
  if (found.length > MOST_OBJECTS)
    throw new ConfigError([`${pattern} fits more than ${MOST_OBJECTS} objects`])
  // What the endpoint names is taken as little on trust as what was asked for.
  for (const { path } of found) {
    const fault = refusalOfObject(path, s3)
    if (fault) throw new ConfigError([`${S3_SCHEME}${path} ${fault}`])
  }
  return found
}
