/** New windows appear by themselves: pages hear of them by server-sent events, else they ask anew. */
import { useEffect } from '/console/vendor/preact.js'

/** How often a page asks anew where no stream can be had. */
const POLL_MS = 60_000

/**
 * Calls `refresh` after windows were evaluated, at most once in `everyMs`, and when a page that was
 * hidden is seen again. A hidden page listens to nothing.
 *
 * @param {{ modelId?: string, refresh: () => void, everyMs?: number, isOn?: boolean }} props of one
 *   model, or of all that the caller reaches
 */
export function useLive({ modelId = '', refresh, everyMs = 1000, isOn = true }) {
  useEffect(() => {
    if (!isOn) return undefined
    /** @type {EventSource | undefined} */
    let stream
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let soon
    let isDown = false
    const refreshSoon = () => {
      soon ??= setTimeout(() => {
        soon = undefined
        refresh()
      }, everyMs)
    }
    const close = () => {
      stream?.close()
      stream = undefined
    }
    const open = () => {
      const query = modelId === '' ? '' : `?model_id=${encodeURIComponent(modelId)}`
      stream = new EventSource(`/v1/events${query}`)
      stream.addEventListener('window', refreshSoon)
      stream.addEventListener('open', () => {
        // What was evaluated while it was away was not told.
        if (isDown) refreshSoon()
        isDown = false
      })
      stream.addEventListener('error', () => (isDown = true))
    }
    const follow = () => {
      if (document.hidden) close()
      else if (!stream) {
        refreshSoon()
        open()
      }
    }
    if (!document.hidden) open()
    const polling = setInterval(() => isDown && !document.hidden && refreshSoon(), POLL_MS)
    document.addEventListener('visibilitychange', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      clearInterval(polling)
      clearTimeout(soon)
      close()
    }
  }, [modelId, isOn, everyMs])
}
