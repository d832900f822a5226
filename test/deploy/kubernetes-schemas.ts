/**
 * Kubernetes' own JSON Schemas for kubeconform, out of a package of PyPI: the usual place is
 * another host.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../servers/processes.ts'

const PACKAGE = 'kubernetes-validate==1.37.0'
const FOLDER = join(ROOT, '.local', 'kubernetes-schemas')

/**
 * Fetches the strict schemas of all versions of Kubernetes once.
 *
 * @returns the pattern of their paths for `kubeconform -schema-location`
 */
export function kubernetesSchemas(): string {
  const done = join(FOLDER, 'done')
  if (!existsSync(done)) {
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(FOLDER, { recursive: true })
    python('-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', FOLDER, PACKAGE)
    const wheel = readdirSync(FOLDER).find((name) => name.endsWith('.whl'))!
    python('-m', 'zipfile', '-e', join(FOLDER, wheel), FOLDER)
    for (const version of readdirSync(schemasIn(FOLDER)))
      if (version.endsWith('-strict')) makeRelative(join(schemasIn(FOLDER), version))
    writeFileSync(done, PACKAGE)
  }
  return join(
    schemasIn(FOLDER),
    '{{ .NormalizedKubernetesVersion }}-local{{ .StrictSuffix }}',
    '{{ .ResourceKind }}{{ .KindSuffix }}.json',
  )
}

const schemasIn = (folder: string) => join(folder, 'kubernetes_validate', 'kubernetes-json-schema')

const python = (...args: string[]) => {
  try {
    execFileSync('python3', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (cause) {
    throw new Error(
      `python3 with pip is needed for ${PACKAGE} (Debian: apt-get install python3-pip)`,
      { cause },
    )
  }
}

/** Their references are absolute, and would be looked for at the root of the file system. */
function makeRelative(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const text = readFileSync(path, 'utf8')
      .replaceAll('"/api/_definitions.json#', '"_definitions.json#')
      .replaceAll(/"\$id": "https:[^"]*",?/g, '')
      .replaceAll(/,(\s*\})/g, '$1')
    writeFileSync(path, text)
  }
}
