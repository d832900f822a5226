/** Splits a stream of JSON into messages: lines, or the elements of one array. */
const NEWLINE = 10
const SPACES = new Set([9, 10, 13, 32, 44])
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const OPEN = 123
const CLOSE = 125
const QUOTE = 34
const BACKSLASH = 92

/** A message as bytes; undefined for one that is larger than it may be. */
export type Message = Buffer | undefined

/** Takes bytes as they come and gives the messages that have ended in them. */
export interface Splitter {
  push: (chunk: Buffer) => Message[]
  /** @throws Error where the bytes end within a message of an array */
  end: () => Message[]
}

/**
 * Makes a splitter: a text that begins with `[` is one array, any other has a message a line. A
 * message that is larger than `maxBytes` is not kept.
 */
export function jsonSplitter(maxBytes: number): Splitter {
  let own: Splitter | undefined
  return {
    push: (chunk) => {
      let from = 0
      if (!own) {
        // A byte order mark is no part of JSON.
        if (chunk[0] === 0xef) from = 3
        while (from < chunk.length && SPACES.has(chunk[from]!)) from++
        if (from === chunk.length) return []
        const isArray = chunk[from] === OPEN_ARRAY
        if (isArray) from++
        own = isArray ? arraySplitter(maxBytes) : lineSplitter(maxBytes)
      }
      return own.push(chunk.subarray(from))
    },
    end: () => own?.end() ?? [],
  }
}

/** The bytes of a message that is not at its end. */
function gathering(maxBytes: number) {
  let parts: Buffer[] = []
  let bytes = 0
  return {
    add: (part: Buffer) => {
      bytes += part.length
      if (bytes <= maxBytes) parts.push(part)
      else parts = []
    },
    isEmpty: () => bytes === 0,
    take: (): Message => {
      const message =
        bytes <= maxBytes ? (parts.length === 1 ? parts[0] : Buffer.concat(parts)) : undefined
      parts = []
      bytes = 0
      return message
    },
  }
}

function lineSplitter(maxBytes: number): Splitter {
  const rest = gathering(maxBytes)
  const isBlank = (message: Message) => message?.every((byte) => SPACES.has(byte)) ?? false
  return {
    push: (chunk) => {
      const messages: Message[] = []
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        rest.add(chunk.subarray(from, at))
        const message = rest.take()
        if (!isBlank(message)) messages.push(message)
        from = at + 1
      }
      if (from < chunk.length) rest.add(chunk.subarray(from))
      return messages
    },
    end: () => {
      if (rest.isEmpty()) return []
      const message = rest.take()
      return isBlank(message) ? [] : [message]
    },
  }
}

function arraySplitter(maxBytes: number): Splitter {
  const rest = gathering(maxBytes)
  let depth = 0
  let isText = false
  let isEscaped = false
  let hasEnded = false
  return {
    push: (chunk) => {
      const messages: Message[] = []
      let from = 0
      const finish = (at: number) => {
        rest.add(chunk.subarray(from, at))
        const message = rest.take()
        if (message === undefined || message.toString('latin1').trim() !== '')
          messages.push(message)
        from = at + 1
      }
      for (let at = 0; at < chunk.length && !hasEnded; at++) {
        const c = chunk[at]!
        if (isText) {
          if (isEscaped) isEscaped = false
          else if (c === BACKSLASH) isEscaped = true
          else if (c === QUOTE) isText = false
        } else if (c === QUOTE) isText = true
        else if (c === OPEN || c === OPEN_ARRAY) depth++
        else if (depth > 0 && (c === CLOSE || c === CLOSE_ARRAY)) depth--
        else if (depth === 0 && c === 44) finish(at)
        else if (depth === 0 && c === CLOSE_ARRAY) {
          finish(at)
          hasEnded = true
        }
      }
      if (!hasEnded && from < chunk.length) rest.add(chunk.subarray(from))
      return messages
    },
    end: () => {
      if (!hasEnded) throw new Error('the array does not end')
      return []
    },
  }
}
