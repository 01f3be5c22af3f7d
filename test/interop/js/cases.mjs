// What the dialler does, by case. Each takes what it needs to reach the remote and the case's parameters, returns the
// facts to report, and throws with the reason when the remote does not do what it should.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyFacts } from './node.mjs'
import { pattern } from './pattern.mjs'
import { kEcho, kHalfClose, kMaxStreams, kPerf, kUnknown, writeZeros } from './protocols.mjs'
import { chunks, kBlock, readAll, write } from './streams.mjs'

function open (connection, protocol) {
  return connection.newStream(protocol, { maxOutboundStreams: kMaxStreams })
}

/** Sends `bytes` bytes of the pattern, then FIN; returns their SHA-256. */
async function sendPattern (stream, seed, bytes) {
  const hash = createHash('sha256')
  for (let offset = 0; offset < bytes; offset += kBlock) {
    const block = pattern(seed, offset, Math.min(kBlock, bytes - offset))
    hash.update(block)
    await write(stream, block)
  }
  await stream.close()
  return hash.digest()
}

/** Reads to the FIN, comparing every byte with the pattern; returns their SHA-256. */
async function expectPattern (stream, seed, bytes) {
  const hash = createHash('sha256')
  let offset = 0
  for await (const chunk of chunks(stream)) {
    if (offset + chunk.byteLength > bytes) {
      throw new Error(`seed ${seed}: more than the ${bytes} bytes sent came back`)
    }
    if (!pattern(seed, offset, chunk.byteLength).equals(chunk)) {
      throw new Error(`seed ${seed}: wrong bytes in [${offset}, ${offset + chunk.byteLength})`)
    }
    hash.update(chunk)
    offset += chunk.byteLength
  }
  if (offset !== bytes) {
    throw new Error(`seed ${seed}: FIN after ${offset} of ${bytes} bytes`)
  }
  return hash.digest()
}

async function echoOn (stream, seed, bytes) {
  const [sent, received] = await Promise.all([sendPattern(stream, seed, bytes), expectPattern(stream, seed, bytes)])
  if (!sent.equals(received)) {
    throw new Error(`seed ${seed}: SHA-256 differs`)
  }
  return received.toString('hex')
}

const mibPerSecond = (bytes, start) => Math.round(bytes / 1048576 / ((performance.now() - start) / 1000))

const onConnection = {
  async handshake () {
    return {}
  },

  async identify ({ node, connection }) {
    return identifyFacts(await node.services.identify.identify(connection))
  },

  async ping ({ node, connection }, { count }) {
    const times = []
    for (let i = 0; i < count; i++) {
      times.push(await node.services.ping.ping(connection.remotePeer))
    }
    return { count, round_trip_ms: times }
  },

  /** Opens all streams before the first byte of any echo goes out; each carries its own bytes. */
  async echo ({ connection }, { streams, bytes, seed }) {
    // js-libp2p gives up a new connection on which more than 10 streams come before it has set up its muxer: the rest
    // wait until one is answered.
    const first = await open(connection, kEcho)
    const others = await Promise.all(Array.from({ length: streams - 1 }, () => open(connection, kEcho)))
    const opened = [first, ...others]
    const start = performance.now()
    const hashes = await Promise.all(opened.map((stream, i) => echoOn(stream, seed + i, bytes)))
    return { streams, bytes, sha256: hashes[0], mib_per_s: mibPerSecond(streams * bytes, start) }
  },

  async 'half-close' ({ connection }, { bytes, seed }) {
    const stream = await open(connection, kHalfClose)
    const sent = await sendPattern(stream, seed, bytes)
    const answer = await readAll(stream, 32)
    if (!sent.equals(answer)) {
      throw new Error(`expected the SHA-256 of what was sent, got ${answer.length} bytes: ${answer.toString('hex')}`)
    }
    return { bytes }
  },

  async perf ({ connection }, { up, down }) {
    const stream = await open(connection, kPerf)
    const start = performance.now()
    const header = Buffer.alloc(8)
    header.writeBigUInt64BE(BigInt(down))
    await write(stream, header)
    await writeZeros(stream, BigInt(up))
    await stream.close()
    let received = 0
    for await (const chunk of chunks(stream)) {
      received += chunk.byteLength
    }
    if (received !== down) {
      throw new Error(`asked for ${down} bytes, got ${received}`)
    }
    return { up, down, mib_per_s: mibPerSecond(up + down, start) }
  },

  /** The remote must refuse a protocol that it does not serve, and go on serving those it does. */
  async refuse ({ connection }) {
    let stream
    try {
      stream = await open(connection, kUnknown)
    } catch (error) {
      await echoOn(await open(connection, kEcho), 1, 1000)
      return { refusal: error.message }
    }
    stream.abort(new Error('not wanted'))
    throw new Error(`the remote accepted ${kUnknown}`)
  },

  /** The remote must survive a stream that is reset in the middle. */
  async reset ({ connection }, { bytes }) {
    const stream = await open(connection, kEcho)
    await write(stream, pattern(1, 0, bytes))
    for await (const chunk of chunks(stream)) {
      if (chunk.byteLength > 0) {
        break
      }
    }
    stream.abort(new Error('reset on purpose'))
    await echoOn(await open(connection, kEcho), 2, bytes)
    return { bytes }
  },

  /** The connection must live through a silence that is longer than js-libp2p's 10 s between liveness pings. */
  async idle ({ connection }, { seconds }) {
    await sleep(seconds * 1000)
    if (connection.status !== 'open') {
      throw new Error(`the connection was ${connection.status} within ${seconds} s`)
    }
    await echoOn(await open(connection, kEcho), 1, 1000)
    return { seconds }
  }
}

/** The address names another peer than the one that answers: dialling it must fail. */
async function wrongPeer (node, address) {
  try {
    await node.dial(address)
  } catch (error) {
    return { refusal: error.message }
  }
  throw new Error('the dial succeeded although the remote is another peer')
}

export const kDefaults = {
  handshake: {},
  identify: {},
  ping: { count: 3 },
  echo: { streams: 1, bytes: 1000, seed: 1 },
  'half-close': { bytes: 1000, seed: 1 },
  perf: { up: 1 << 20, down: 1 << 20 },
  refuse: {},
  reset: { bytes: 100000 },
  idle: { seconds: 12 },
  'wrong-peer': {}
}

export async function runCase (node, address, name, parameters) {
  if (name === 'wrong-peer') {
    return wrongPeer(node, address)
  }
  const connection = await node.dial(address)
  const facts = await onConnection[name]({ node, connection }, parameters)
  await connection.close()
  return facts
}
