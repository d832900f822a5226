/**
 * The pages that people open, and what they load: our own modules and style sheets, and files of
 * packages under names of ours.
 */
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import Type from 'typebox'
import { pageShell, type Page } from './page-shell.ts'
import type { Http } from '../server-types.ts'

const PAGES: readonly Page[] = [
  { url: '/', title: 'Models', room: 'overview', isWide: true },
  { url: '/models/:id', title: 'Model', room: 'model', isWide: true, hasCharts: true },
  {
    url: '/models/:id/compare',
    title: 'Compare',
    room: 'compare',
    isWide: true,
    hasCharts: true,
    styles: ['parts/beside.css'],
  },
  {
    url: '/models/:id/slices',
    title: 'Slices and fairness',
    room: 'slices',
    isWide: true,
    hasCharts: true,
    styles: ['parts/beside.css'],
  },
  {
    url: '/models/:id/settings',
    title: 'Settings',
    room: 'settings',
    styles: ['settings/settings.css'],
  },
  {
    url: '/models/:id/policy',
    title: 'Policy',
    room: 'policy',
    isWide: true,
    styles: ['policy/policy.css'],
  },
  {
    url: '/models/:id/episodes/:episode',
    title: 'Alert episode',
    room: 'episode',
    isWide: true,
    styles: ['episode/episode.css'],
  },
  { url: '/review', title: 'Review', room: 'review', styles: ['review/review.css'] },
  { url: '/runs', title: 'Runs', room: 'runs', isWide: true, styles: ['runs/runs.css'] },
  {
    url: '/delegations',
    title: 'Delegations',
    room: 'delegations',
    isWide: true,
    styles: ['datasets/datasets.css'],
  },
  { url: '/approve', title: 'Approval', room: 'approve', styles: ['runs/runs.css'] },
  {
    url: '/audit',
    title: 'Audit log',
    room: 'audit',
    isWide: true,
    styles: ['parts/beside.css', 'audit/audit.css'],
  },
  {
    url: '/data',
    title: 'Data health',
    room: 'data',
    isWide: true,
    styles: ['parts/beside.css', 'data/data.css'],
  },
  {
    url: '/datasets',
    title: 'Data sets',
    room: 'datasets',
    isWide: true,
    styles: ['datasets/datasets.css'],
  },
  { url: '/keys', title: 'Keys', room: 'keys', styles: ['keys/keys.css'] },
  {
    url: '/docs',
    title: 'API',
    room: 'docs',
    styles: ['/docs/static/swagger-ui.css', 'docs/docs.css'],
    script: '/docs/static/swagger-ui-bundle.js',
  },
]

/** Files of packages; each is whole by itself, so that no page needs a map of imports. */
const VENDOR = {
  // Preact with its hooks and htm.
  'preact.js': import.meta.resolve('htm/preact/standalone'),
  'uplot.js': import.meta.resolve('uplot/dist/uPlot.iife.min.js'),
  'uplot.css': import.meta.resolve('uplot/dist/uPlot.min.css'),
}

/** Modules and style sheets of a room; nothing else of the folder is served. */
const SERVED = /^[a-z-]+\/[a-z-]+\.(css|js)$/

/** Adds every page, `/console/*` with their code, and `/console/vendor/*` with that of packages. */
export function addPages(app: Http): void {
  for (const page of PAGES) {
    const html = pageShell(page)
    app.get(page.url, { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(html),
    )
  }
  for (const [name, url] of Object.entries(VENDOR)) {
    const path = fileURLToPath(url)
    app.get(`/console/vendor/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply.sendFile(basename(path), dirname(path)),
    )
  }
  const params = Type.Object({ '*': Type.String() })
  app.get('/console/*', { schema: { hide: true, params } }, async ({ params }, reply) => {
    const path = params['*']
    return SERVED.test(path) ? reply.sendFile(path) : reply.callNotFound()
  })
}
