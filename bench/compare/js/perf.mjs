// Both sides of /perf/1.0.0.

import { chunks, kBlock, write } from '../../../test/interop/js/streams.mjs'

export const kPerf = '/perf/1.0.0'

const kZeros = new Uint8Array(kBlock)

async function sendZeros (stream, count) {
  for (let left = count; left > 0; left -= kBlock) {
    await write(stream, left < kBlock ? kZeros.subarray(0, left) : kZeros)
  }
}

/** Reads how many bytes are wanted (big-endian uint64), discards the upload, and after its FIN sends so many. */
export async function perf (stream) {
  const header = Buffer.alloc(8)
  let received = 0
  for await (const chunk of chunks(stream)) {
    if (received < header.length) {
      header.set(chunk.subarray(0, header.length - received), received)
    }
    received += chunk.byteLength
  }
  await sendZeros(stream, Number(header.readBigUInt64BE()))
  await stream.close()
}

export async function measurePerf (stream, { up, down }) {
  const header = Buffer.alloc(8)
  header.writeBigUInt64BE(BigInt(down))
  await write(stream, header)
  await sendZeros(stream, up)
  await stream.close()
  let received = 0
  for await (const chunk of chunks(stream)) {
    received += chunk.byteLength
  }
  if (received !== down) {
    throw new Error(`asked for ${down} bytes, got ${received}`)
  }
}
