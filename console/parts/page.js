/**
 * What every page shares: requests, the session, and elements for the pages that need no
 * components.
 */
import { SHAPES } from './shapes.js'
import { day, number } from './words.js'

export { day, number }

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

/**
 * JSON from Plumbline; throws with the sentence of the problem document. Asks for a key where one
 * is needed.
 */
export async function request(path, body, method = body ? 'POST' : 'GET') {
  const response = await fetch(path, {
    method,
    headers: { ...OWN, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  }).catch(() => {
    throw new Error('Plumbline cannot be reached. Is it running, and the network there?')
  })
  if (response.status === 204) return undefined
  const answer = await response.json().catch(() => ({}))
  if (response.status === 401 && path !== '/v1/session') {
    await signIn()
    return request(path, body, method)
  }
  if (!response.ok)
    throw new Error(answer.detail ?? `The request was answered with ${response.status}.`)
  return answer
}

let signingIn

/** Shows the form for a key, once however many requests wait for it; resolves with a session. */
function signIn() {
  signingIn ??= request('/v1/session').then(({ login_at }) => askToSignIn(login_at))
  return signingIn
}

/** @param {string | undefined} loginAt where a person signs in at the issuer, if there is one */
const askToSignIn = (loginAt) =>
  new Promise((/** @type {(done?: undefined) => void} */ resolve) => {
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
              problem.textContent = messageOf(error)
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
  const header = document.querySelector('header')
  if (caller.scopes.includes('admin') && !header?.querySelector('[href="/keys"]'))
    header?.querySelector('[href="/runs"]')?.after(el('a', { href: '/keys' }, 'Keys'))
  header?.append(
    el(
      'span',
      { id: 'who', class: 'quiet' },
      `${caller.id} `,
      el('button', { onclick: leave }, 'Sign out'),
    ),
  )
}

/**
 * A verdict as a shape and words. @param {import('./words.js').Verdict} verdict @param {string}
 * text
 */
export function badge(verdict, text = verdict) {
  const mark = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  mark.setAttribute('class', `mark ${verdict}`)
  mark.setAttribute('viewBox', '0 0 16 16')
  mark.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', SHAPES[verdict])
  path.setAttribute('fill-rule', 'evenodd')
  mark.append(path)
  return el('span', { class: `badge ${verdict}` }, mark, text)
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error))

/** Fills the page, or says why it cannot. @param {(main: HTMLElement) => unknown} fill */
export async function show(fill) {
  const main = /** @type {HTMLElement} */ (document.querySelector('main'))
  try {
    await whoIsHere()
    await fill(main)
  } catch (error) {
    main.append(el('p', { class: 'error', role: 'alert' }, messageOf(error)))
  }
}
