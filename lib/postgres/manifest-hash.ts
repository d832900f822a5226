/** The hash by which a manifest of a data set is known. */
import { createHash } from 'node:crypto'
import { sortedJson } from './audit-log.ts'

/** SHA-256 of a manifest as sorted JSON, its own hash left out; 64 hex digits. */
export function manifestSha256({
  sha256: _own,
  ...manifest
}: object & { sha256?: string | undefined }): string {
  return createHash('sha256').update(sortedJson(manifest)).digest('hex')
}
