// What the node serves besides identify and ping.

import { createHash } from 'node:crypto'
import { chunks, kBlock, write } from './streams.mjs'

export const kEcho = '/ggen-interop/echo/1.0.0'
export const kHalfClose = '/ggen-interop/half-close/1.0.0'
export const kUnknown = '/ggen-interop/unknown/1.0.0'
export const kPerf = '/perf/1.0.0'

/** js-libp2p allows 32 streams of a protocol and direction unless told otherwise. */
export const kMaxStreams = 256

const kZeros = new Uint8Array(kBlock)

/** Sends every byte back as it comes, and FIN after FIN. */
async function echo (stream) {
  for await (const chunk of chunks(stream)) {
    await write(stream, chunk)
  }
  await stream.close()
}

/** Reads to the FIN and only then writes: the SHA-256 of what came, and FIN. */
async function halfClose (stream) {
  const hash = createHash('sha256')
  for await (const chunk of chunks(stream)) {
    hash.update(chunk)
  }
  await write(stream, hash.digest())
  await stream.close()
}

/** Reads how many bytes are wanted (big-endian uint64), discards the upload, and after its FIN sends so many zeros. */
async function perf (stream) {
  const header = Buffer.alloc(8)
  let received = 0
  for await (const chunk of chunks(stream)) {
    if (received < header.length) {
      header.set(chunk.subarray(0, header.length - received), received)
    }
    received += chunk.byteLength
  }
  if (received < header.length) {
    throw new Error('the perf request ended before its length')
  }
  await writeZeros(stream, header.readBigUInt64BE())
  await stream.close()
}

/** Sends `count` (a BigInt) zero bytes. */
export async function writeZeros (stream, count) {
  for (let left = count; left > 0n; left -= BigInt(kBlock)) {
    await write(stream, left < BigInt(kBlock) ? kZeros.subarray(0, Number(left)) : kZeros)
  }
}

export async function serve (node) {
  for (const [protocol, handler] of [[kEcho, echo], [kHalfClose, halfClose], [kPerf, perf]]) {
    await node.handle(protocol, async (stream) => {
      try {
        await handler(stream)
      } catch (error) {
        console.error(`${protocol}: ${error.message}`)
        stream.abort(error)
      }
    }, { maxInboundStreams: kMaxStreams, maxOutboundStreams: kMaxStreams })
  }
}
