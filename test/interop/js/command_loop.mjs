// What the peer programs that are told commands have in common.

import { createInterface } from 'node:readline'
import { emit } from './node.mjs'

// No command takes longer.
const kCommandMs = 20_000

export function bytes (hex) {
  if (!/^([0-9a-f]{2})*$/.test(hex)) {
    throw new Error(`${hex} is not hexadecimal`)
  }
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** Gives the fields of the reply. */
async function run (commands, subject, [name, ...words]) {
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command == null || command.length !== 2 + words.length) {
      throw new Error(`unknown command ${name} with ${words.length} words`)
    }
    const fields = await command(subject, { signal: AbortSignal.timeout(kCommandMs) }, ...words)
    return { ok: true, ...fields }
  } catch (error) {
    return { ok: false, reason: `${error.name}: ${error.message}` }
  }
}

/**
 * Answers each line of standard input with one line, until the input ends. Each of the commands takes `subject`, options
 * with the signal of its deadline, and its words, and gives fields of the reply or throws.
 */
export async function answerLines (commands, subject) {
  for await (const line of createInterface({ input: process.stdin })) {
    emit('reply', await run(commands, subject, line.split(' ')))
  }
}
