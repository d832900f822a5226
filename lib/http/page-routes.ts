/**
 * The pages that people open, and what they load: our own files, and files of packages under names
 * of ours.
 */
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import Type from 'typebox'
import type { Http } from './server-types.ts'

const PAGES = [
  ['/', 'overview.html'],
  ['/models/:id', 'model.html'],
  ['/models/:id/compare', 'compare.html'],
  ['/models/:id/slices', 'slices.html'],
  ['/models/:id/episodes/:episode', 'episode.html'],
  ['/review', 'review.html'],
  ['/runs', 'runs.html'],
  ['/keys', 'keys.html'],
] as const

/** Files of packages; each is whole by itself, so that no page needs a map of imports. */
const VENDOR = {
  // Preact with its hooks and htm.
  'preact.js': import.meta.resolve('htm/preact/standalone'),
  'uplot.js': import.meta.resolve('uplot/dist/uPlot.iife.min.js'),
  'uplot.css': import.meta.resolve('uplot/dist/uPlot.min.css'),
}

/** Adds every page, `/console/*` with their code, and `/console/vendor/*` with that of packages. */
export function addPages(app: Http): void {
  for (const [url, file] of PAGES)
    app.get(url, { schema: { hide: true } }, async (_request, reply) => reply.sendFile(file))
  for (const [name, url] of Object.entries(VENDOR)) {
    const path = fileURLToPath(url)
    app.get(`/console/vendor/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply.sendFile(basename(path), dirname(path)),
    )
  }
  const params = Type.Object({ '*': Type.String() })
  app.get('/console/*', { schema: { hide: true, params } }, async ({ params }, reply) =>
    reply.sendFile(params['*']),
  )
}
