/** What every page shares: elements, requests, verdict badges, line charts. No build step, no dependency. */

/** An element with properties and children; text is always text, never markup. */
export function el(name, properties = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else if (value !== undefined) node.setAttribute(key, value)
  }
  node.append(...children.filter((child) => child !== undefined))
  return node
}

/** Says to the server that a page of its own sends this: another site's page cannot. */
const OWN = { 'x-plumbline-page': '1' }

/** JSON from Plumbline; throws with the sentence of the problem document. Asks for a key where one is needed. */
export async function request(path, body, method = body ? 'POST' : 'GET') {
  const response = await fetch(path, {
    method,
    headers: { ...OWN, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  if (response.status === 204) return undefined
  const answer = await response.json()
  if (response.status === 401 && path !== '/v1/session') {
    await signIn()
    return request(path, body, method)
  }
  if (!response.ok)
    throw new Error(answer.detail ?? `the request was answered with ${response.status}`)
  return answer
}

let signingIn

/** Shows the form for a key, once however many requests wait for it; resolves with a session. */
function signIn() {
  signingIn ??= request('/v1/session').then(({ login_at }) => askToSignIn(login_at))
  return signingIn
}

const askToSignIn = (loginAt) =>
  new Promise((resolve) => {
    const key = el('input', {
      type: 'password',
      id: 'key',
      autocomplete: 'off',
      required: '',
      'aria-label': 'API key',
      placeholder: 'API key',
    })
    const problem = el('p', { class: 'error', role: 'alert' })
    const dialog = el(
      'dialog',
      { class: 'card' },
      el('h2', {}, 'This Plumbline asks for a key'),
      el('p', { class: 'quiet' }, 'The browser keeps a session of twelve hours, not the key.'),
      el(
        'form',
        {
          class: 'row',
          onsubmit: async (event) => {
            event.preventDefault()
            try {
              await request('/v1/session', { key: key.value })
            } catch (error) {
              problem.textContent = error.message
              return
            }
            dialog.remove()
            signingIn = undefined
            void whoIsHere()
            resolve()
          },
        },
        key,
        el('button', { class: 'primary' }, 'Sign in'),
      ),
      problem,
      loginAt
        ? el(
            'p',
            {},
            el(
              'a',
              {
                href: `${loginAt}?return=${encodeURIComponent(location.pathname + location.search)}`,
              },
              'Sign in with your account',
            ),
          )
        : undefined,
    )
    dialog.addEventListener('cancel', (event) => event.preventDefault())
    document.body.append(dialog)
    dialog.showModal()
    key.focus()
  })

/** The caller where keys are set and one is signed in; undefined where a name must be asked for. */
export async function signedIn() {
  const { caller, key_needed } = await request('/v1/session')
  return key_needed ? (caller ?? undefined) : undefined
}

/** Whether keys are set at all. */
export async function hasKeys() {
  return (await request('/v1/session')).key_needed
}

/** Shows who is signed in, and the way out. */
async function whoIsHere() {
  document.querySelector('#who')?.remove()
  const caller = await signedIn()
  if (!caller) return
  const leave = async () => {
    await request('/v1/session', undefined, 'DELETE')
    location.reload()
  }
  document
    .querySelector('header')
    .append(
      el(
        'span',
        { id: 'who', class: 'quiet' },
        `${caller.id} `,
        el('button', { onclick: leave }, 'Sign out'),
      ),
    )
}

export function badge(verdict, text = verdict) {
  return el('span', { class: `badge ${verdict}` }, text)
}

export const day = (time) => (time ? time.slice(0, 16).replace('T', ' ').replace(' 00:00', '') : '')

export function number(value) {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  return size !== 0 && (size < 0.001 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)))
}

const SVG = 'http://www.w3.org/2000/svg'
function svg(name, properties) {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(properties)) node.setAttribute(key, value)
  return node
}

/** A metric over its windows: the line, a dot in the colour of each window's verdict, the extremes on the axis. */
export function chart(title, points) {
  const known = points.filter((point) => point.value !== null)
  const low = Math.min(...known.map((point) => point.value))
  const high = Math.max(...known.map((point) => point.value))
  const x = (i) => (points.length < 2 ? 50 : (100 * i) / (points.length - 1))
  const y = (value) => (high === low ? 50 : 100 - (100 * (value - low)) / (high - low))
  const drawing = svg('svg', {
    viewBox: '0 0 100 100',
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': title,
  })
  for (const at of [0, 50, 100])
    drawing.append(svg('line', { class: 'grid', x1: 0, x2: 100, y1: at, y2: at }))
  const path = points
    .flatMap((point, i) => (point.value === null ? [] : [`${x(i)},${y(point.value)}`]))
    .join(' ')
  drawing.append(svg('polyline', { class: 'line', points: path }))
  for (const [i, point] of points.entries()) {
    if (point.value === null || point.verdict === 'none' || point.verdict === 'ok') continue
    const dot = svg('path', {
      d: `M${x(i)},${y(point.value)}l0,0`,
      class: point.verdict,
      stroke: 'currentColor',
      'stroke-width': 6,
      'stroke-linecap': 'round',
      'vector-effect': 'non-scaling-stroke',
    })
    const tip = svg('title', {})
    tip.textContent = `${day(point.window_end)}: ${number(point.value)} ${point.verdict}. ${point.reason}`
    dot.append(tip)
    drawing.append(dot)
  }
  const last = points.at(-1)
  return el(
    'figure',
    {},
    el(
      'figcaption',
      {},
      el('span', {}, title),
      last.verdict === 'none'
        ? el('span', { class: 'quiet' }, number(last.value))
        : badge(last.verdict, `${number(last.value)} ${last.verdict}`),
    ),
    drawing,
    el(
      'div',
      { class: 'axis' },
      el('span', {}, `${day(points[0].window_end)}`),
      el('span', {}, known.length ? `${number(low)} to ${number(high)}` : 'no value'),
      el('span', {}, day(last.window_end)),
    ),
  )
}

/** Fills the page, or says why it cannot. */
export async function show(fill) {
  const main = document.querySelector('main')
  try {
    await whoIsHere()
    await fill(main)
  } catch (error) {
    main.append(el('p', { class: 'error', role: 'alert' }, error.message))
  }
}
