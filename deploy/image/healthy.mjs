// The image's health check: exits 0 when the process inside is ready, 1 with the reason when it is
// not.
const port = process.env.PLUMBLINE_HTTP_PORT || '8080'
try {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
    signal: AbortSignal.timeout(4000),
  })
  if (!response.ok) fail(await response.text())
} catch (error) {
  fail(`nothing answers on port ${port}: ${error.cause?.message ?? error.message}`)
}

function fail(reason) {
  console.error(reason)
  process.exit(1)
}
