// The document of the API, to read and to try; what is tried goes out with the page's session, or
// with a key that is given here.
import { show } from '../parts/page.js'

/** Swagger UI has dark colours of its own, by a class. */
const dark = matchMedia('(prefers-color-scheme: dark)')
const colour = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', colour)
colour()

await show(async (main) => {
  ;/** @type {any} */ (window).SwaggerUIBundle({
    domNode: main,
    url: '/docs/json',
    validatorUrl: null,
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    defaultModelExpandDepth: 3,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: false,
    requestInterceptor: (request) => {
      request.headers['x-plumbline-page'] = '1'
      return request
    },
  })
})
