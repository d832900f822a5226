/** A file that is imported: of this machine, or of S3. */
import { statSync } from 'node:fs'
import type { FileOrigin } from '../../clickhouse/file-rows.ts'
import { listS3 } from '../../clickhouse/s3-objects.ts'
import { contentOf } from './positions.ts'
import { S3_SCHEME } from './s3-access.ts'

/** What a file is called, in sentences and as `$meta.file`. */
export const nameOf = (from: FileOrigin): string =>
  typeof from === 'string' ? from : `${S3_SCHEME}${from.path}`

/** When it was changed last, in whole epoch milliseconds. */
export const modifiedMsOf = (from: FileOrigin): number =>
  typeof from === 'string' ? Math.floor(statSync(from).mtimeMs) : from.modifiedMs

/** Names the content: the hash of a file of this machine; what S3 calls the version of an object. */
export const contentNameOf = async (from: FileOrigin): Promise<string> =>
  typeof from === 'string' ? contentOf(from) : `s3:${from.etag}:${from.bytes}`

/** Whether an object is what it was when it was listed; a file of this machine is not looked at. */
export async function isUnchanged(from: FileOrigin): Promise<boolean> {
  if (typeof from === 'string') return true
  const [now] = await listS3(from.access, from.path, 1)
  return now?.etag === from.etag && now.bytes === from.bytes
}
