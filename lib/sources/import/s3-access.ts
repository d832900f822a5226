/**
 * What a source may read of S3: objects of a bucket or a folder that the source file allows, with
 * credentials that are references to variables of the environment. Pure.
 */
import type { S3Access } from '../../clickhouse/s3-objects.ts'
import { isOwnSetting, variableOf } from '../../models/secret-references.ts'
import { ConfigError } from '../../runtime/config.ts'
import type { SourceFile } from '../../../schemas/source.ts'

/** The section `s3` of a source file. */
export type S3Settings = NonNullable<SourceFile['s3']>

/** What begins the name of a file of S3. */
export const S3_SCHEME = 's3://'
/** What names may hold; what else S3 allows in them means something to a pattern or an address. */
const NAME = /^[\w !.'()=,@:+-]+$/u
const PATTERN = /^[\w !.'()=,@:+*?-]+$/u
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** Every problem of the section `s3` of a source file that its schema cannot say. */
export function s3Problems({ s3, files }: Pick<SourceFile, 's3' | 'files'>): string[] {
  if (!s3)
    return files?.startsWith(S3_SCHEME)
      ? ['s3 must say whose objects files names: its endpoint, and what is allowed']
      : []
  const problems: string[] = []
  for (const allowed of s3.allow) {
    const why = pathProblem(allowed.replace(/\/$/, ''), NAME)
    if (why) problems.push(`s3.allow ${allowed} ${why}`)
  }
  const references = [s3.access_key_id, s3.secret_access_key, s3.session_token]
  for (const one of references)
    if (one !== undefined && isOwnSetting(variableOf(one) ?? ''))
      problems.push(`s3: ${one} is a setting of Plumbline, and is not sent out`)
  if ((s3.access_key_id === undefined) !== (s3.secret_access_key === undefined))
    problems.push('s3 must have access_key_id and secret_access_key, or neither')
  if (s3.session_token !== undefined && s3.access_key_id === undefined)
    problems.push('s3.session_token goes with access_key_id')
  if (files?.startsWith(S3_SCHEME)) {
    const why = refusalOf(files, s3)
    if (why) problems.push(`files ${files} ${why}`)
  }
  return problems
}

/** Why a pattern is not listed: it is none, or it looks where the source does not allow it. */
export function refusalOf(pattern: string, s3: S3Settings): string | undefined {
  const path = pattern.slice(S3_SCHEME.length)
  const fixed = path.slice(0, path.search(/[*?]|$/))
  return pathProblem(path, PATTERN) ?? outsideOf(fixed, s3)
}

function pathProblem(path: string, name: RegExp): string | undefined {
  const [bucket = '', ...steps] = path.split('/')
  if (!BUCKET.test(bucket)) return 'names no bucket: small letters, digits, hyphens and points'
  const odd = steps.find((step) => !name.test(step) || step === '.' || step === '..')
  return odd === undefined
    ? undefined
    : `has a part ${JSON.stringify(odd.slice(0, 60))}: letters, digits and _ ! . ' ( ) = , @ : + - and spaces are taken`
}

/** Why an object is not read though an endpoint lists it. */
export const refusalOfObject = (path: string, s3: S3Settings): string | undefined =>
  pathProblem(path, NAME) ?? outsideOf(path, s3)

const outsideOf = (path: string, { allow }: S3Settings): string | undefined =>
  allow.some((one) => path.startsWith(one.endsWith('/') ? one : `${one}/`))
    ? undefined
    : `is not within what the source allows: ${allow.join(', ')}`

/**
 * Who asks, and where.
 *
 * @param environment the value of a variable; undefined where it is not set
 * @throws {ConfigError} where a secret is not set
 */
export function accessOf(
  s3: S3Settings,
  environment: (name: string) => string | undefined,
): S3Access {
  const secretOf = (reference: string): string => {
    const value = environment(variableOf(reference) ?? '')
    if (value === undefined || value === '') throw new ConfigError([`${reference} is not set`])
    return value
  }
  const { endpoint, access_key_id: id, secret_access_key: secret, session_token: token } = s3
  if (id === undefined || secret === undefined) return { endpoint, key: undefined }
  const sessionToken = token === undefined ? undefined : secretOf(token)
  return { endpoint, key: { id: secretOf(id), secret: secretOf(secret), sessionToken } }
}
