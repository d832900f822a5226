/** Certificates for tests: an authority, and what it signs, made by openssl. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of a certificate and its private key, as PEM. */
export interface Signed {
  cert: string
  key: string
}

/** An authority in `directory`, which signs certificates there. */
export function certificateAuthority(directory: string, name: string) {
  if (spawnSync('openssl', ['version']).status !== 0)
    throw new Error('openssl is not installed (Debian: apt-get install openssl)')
  const at = (file: string) => join(directory, file)
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { stdio: 'pipe' })
  const [ca, caKey] = [at(`${name}.crt`), at(`${name}.key`)]
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`],
    ...['-keyout', caKey, '-out', ca],
  )
  return {
    ca,
    sign: (subject: string): Signed => {
      const [key, request, cert] = [
        at(`${subject}.key`),
        at(`${subject}.csr`),
        at(`${subject}.crt`),
      ]
      openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', key, '-out', request)
      const extensions = at(`${subject}.ext`)
      writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\n')
      openssl(
        ...['x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial'],
        ...['-days', '2', '-extfile', extensions, '-out', cert],
      )
      return { cert, key }
    },
  }
}
