// The bytes that the transfer cases send: a function of (seed, offset), so that both ends can make and check any part
// of a stream without holding it. test/interop/README.md defines it and gives test vectors.

const kSeedStep = 0x9e3779b1

function word (seed, index) {
  let x = (Math.imul(seed, kSeedStep) + index) >>> 0
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** The bytes [offset, offset + length) of the stream that belongs to `seed`. */
export function pattern (seed, offset, length) {
  const first = Math.floor(offset / 4)
  // Every machine that Node 22 is packaged for is little-endian, as the pattern is.
  const words = new Uint32Array(Math.ceil((offset + length) / 4) - first)
  for (let i = 0; i < words.length; i++) {
    words[i] = word(seed, first + i)
  }
  return Buffer.from(words.buffer).subarray(offset - first * 4, offset - first * 4 + length)
}
