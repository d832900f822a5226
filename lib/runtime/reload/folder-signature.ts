/** Tells whether files are as they were, without reading them. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Changes when a file comes, goes, or is written; links are followed. */
export function folderSignature(folder: string, isMeant: (name: string) => boolean): string {
  if (!existsSync(folder)) return 'no folder'
  return readdirSync(folder)
    .filter(isMeant)
    .toSorted()
    .map((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false })
      return `${name}\u0000${found?.mtimeMs ?? ''}\u0000${found?.size ?? ''}\u0000${found?.ino ?? ''}`
    })
    .join('\u0000')
}

/** Signature of one file, as {@link folderSignature} has it of a folder. */
export const fileSignature = (path: string): string =>
  folderSignature(dirname(path), (name) => name === basename(path))
