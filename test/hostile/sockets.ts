/** Connections that begin a request and never finish it. */
import { connect } from 'node:net'
import type { SocketCase } from './requests.ts'

export interface OpenSockets {
  /** How many were ever connected, and how many still are. */
  opened: () => number
  open: () => number
  destroy: () => void
}

/** Opens the connections of a case, each of which writes its text and then nothing. */
export function openSockets(base: string, { connections, texts }: SocketCase): OpenSockets {
  const { port, hostname } = new URL(base)
  let opened = 0
  let closed = 0
  const sockets = Array.from({ length: connections }, (_, i) => {
    const socket = connect(Number(port), hostname)
    let isOpen = false
    socket.on('connect', () => {
      isOpen = true
      opened++
      socket.write(texts[i % texts.length]!.replaceAll('{port}', port))
    })
    socket.resume().on('close', () => (closed += isOpen ? 1 : 0))
    socket.on('error', () => {})
    return socket
  })
  return {
    opened: () => opened,
    open: () => opened - closed,
    destroy: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
