/** A dialog over the page, at its right edge: Escape, its button and a click beside it close it. */
import { html, useEffect, useRef } from '/console/vendor/preact.js'

/** @param {{ title: string, close: () => void, children?: any }} props */
export function Drawer({ title, close, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null))
  useEffect(() => {
    box.current?.showModal()
    return () => box.current?.close()
  }, [])
  return html`<dialog
    class="drawer"
    ref=${box}
    aria-labelledby="drawer-title"
    onCancel=${(event) => (event.preventDefault(), close())}
    onClick=${(event) => event.target === box.current && close()}
  >
    <div class="drawer-body">
      <div class="bar-row">
        <h2 id="drawer-title" class="grow"><bdi>${title}</bdi></h2>
        <button onClick=${close} aria-label="Close">✕</button>
      </div>
      ${children}
    </div>
  </dialog>`
}
