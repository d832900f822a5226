/** The HTML of a page: its head, the way to the other pages, and what it loads. Pure. */

/** A page that people open. */
export interface Page {
  /** Its address, as a route has it. */
  url: string
  title: string
  /** Its folder in `console/`, whose module of the same name fills the page. */
  room: string
  /** Whether it is as wide as its tables need. */
  isWide?: boolean
  /** Whether it draws charts. */
  hasCharts?: boolean
  /** Style sheets besides those of all pages, under `/console/` unless they begin with a slash. */
  styles?: readonly string[]
  /** A script that stands before its module, which is no module itself. */
  script?: string
}

/** What pages lead to, by address; the keys are led to by their own page, and of admins by all. */
const WAYS = [
  ['/', 'Models'],
  ['/review', 'Review'],
  ['/runs', 'Runs'],
  ['/data', 'Data health'],
  ['/datasets', 'Data sets'],
  ['/audit', 'Audit'],
  ['/keys', 'Keys'],
  ['/docs', 'API'],
] as const

const inConsole = (path: string) => (path.startsWith('/') ? path : `/console/${path}`)

/** The page as a browser gets it, empty until its module fills `main`; 1 to 2 kB. */
export function pageShell({ url, title, room, isWide, hasCharts, styles = [], script }: Page) {
  const sheets = [
    ...(hasCharts ? ['vendor/uplot.css'] : []),
    ...styles.filter((path) => path.startsWith('/')),
    'parts/tokens.css',
    'parts/style.css',
    ...styles.filter((path) => !path.startsWith('/')),
  ]
  const ways = WAYS.filter(([way]) => way !== '/keys' || way === url).map(
    ([way, text]) => `<a href="${way}"${way === url ? ' aria-current="page"' : ''}>${text}</a>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Plumbline</title>
${sheets.map((path) => `<link rel="stylesheet" href="${inConsole(path)}">`).join('\n')}
<link rel="icon" href="data:,">
</head>
<body>
<header><strong>Plumbline</strong> ${ways.join(' ')}</header>
<main${isWide ? ' class="wide"' : ''}></main>
${hasCharts ? '<script src="/console/vendor/uplot.js" defer></script>\n' : ''}${script === undefined ? '' : `<script src="${script}"></script>\n`}<script type="module" src="/console/${room}/${room}.js"></script>
</body>
</html>
`
}
