/** Prompt files of judges, read again when they change. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { messageOf } from '../../../../lib/runtime/errors.ts'
import type { JudgePromptFile } from '../../../../schemas/language-models/judges.ts'
import { parsePrompt } from '../../data/judges/prompt.ts'

const MAX_BYTES = 128 * 1024
/** Files that are remembered; more than judges have. */
const MAX_KNOWN = 1000

/** A prompt file as it stands. */
export interface ReadPrompt {
  prompt: JudgePromptFile
  text: string
}

/**
 * Reads a prompt file of a model folder.
 *
 * @throws {Error} with a sentence, where the file is no prompt or leads out of the folder
 */
export type ReadPromptFile = (folder: string, path: string) => Promise<ReadPrompt>

/** Makes what reads prompt files; one that has not changed is not read again. */
export function promptFiles(): ReadPromptFile {
  const known = new Map<string, { state: string; read: ReadPrompt }>()
  return async (folder, path) => {
    if (folder === '') throw new Error(`${path} has no folder to be in`)
    try {
      const whole = await pathIn(folder, path)
      const { size, mtimeMs, ino } = await stat(whole)
      if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
      const state = JSON.stringify([size, mtimeMs, ino])
      const found = known.get(whole)
      if (found?.state === state) return found.read
      const text = await readFile(whole, 'utf8')
      const read = { prompt: parsePrompt(text), text }
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(whole, { state, read })
      return read
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const why = isAbsent ? 'there is no such file beside the model file' : messageOf(error)
      throw new Error(`the prompt ${path} cannot be read: ${why}`, { cause: error })
    }
  }
}

/** Links are followed, and lead nowhere else. */
async function pathIn(folder: string, path: string): Promise<string> {
  const whole = await realpath(join(folder, path))
  const root = await realpath(folder)
  if (!whole.startsWith(`${root}${sep}`)) throw new Error('it leads out of the folder')
  return whole
}
