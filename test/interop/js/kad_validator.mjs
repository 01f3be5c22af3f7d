// Test values, SEQUENCE:TEXT of test/interop/kad/README.md, of which the higher sequence is better.

export const kTestNamespace = 'ggen-interop'

const kTestValue = /^(0|[1-9][0-9]{0,8}):/

function sequence (value) {
  const match = kTestValue.exec(Buffer.from(value).toString('latin1'))
  return match == null ? undefined : Number(match[1])
}

export async function validateTestValue (key, value) {
  if (sequence(value) == null) {
    throw new Error('not SEQUENCE:TEXT')
  }
}

/** Gives the index of the first value of the highest sequence. */
export function selectTestValue (key, values) {
  const sequences = values.map(sequence)
  return sequences.indexOf(Math.max(...sequences))
}
