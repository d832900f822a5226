/** `npm run emit`: writes every committed artefact anew. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { artefacts } from './artefacts.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
for (const [path, content] of artefacts()) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
  console.log(path)
}
