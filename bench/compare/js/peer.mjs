// js-libp2p's peer program. ../README.md defines its command line and its output.

import { createInterface } from 'node:readline'
import { multiaddr } from '@multiformats/multiaddr'
import { readAll, write } from '../../../test/interop/js/streams.mjs'
import { createNode, kEcho, kMaxStreams, kRequest, kRequestSize, serve } from './node.mjs'
import { kPerf, measurePerf } from './perf.mjs'

const kUsage = 'usage: peer.mjs serve | CASE ADDRESS NUMBER...; bench/compare/README.md has them'

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

function waitForLine () {
  return input.next()
}

function open (connection, protocol) {
  return connection.newStream(protocol, { maxOutboundStreams: kMaxStreams })
}

function sideBySide (width, task) {
  return Promise.all(Array.from({ length: width }, task))
}

async function dial (address) {
  const node = await createNode([])
  const connection = await node.dial(address)
  // js-libp2p gives up a new connection on which more than 10 streams come before it has set up its muxer.
  await roundTrips(connection, 1)
  return connection
}

/** Resolves with the bytes that come, as many as were sent. */
function received (stream) {
  return new Promise((resolve, reject) => {
    stream.addEventListener('message', resolve, { once: true })
    stream.addEventListener('close', (event) => reject(event.error ?? new Error('the stream ended')), { once: true })
  })
}

/** One byte there and back on one stream, `count` times. */
async function roundTrips (connection, count) {
  const stream = await open(connection, kEcho)
  const byte = new Uint8Array(1)
  const times = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    const answer = received(stream)
    stream.send(byte)
    await answer
    times[i] = (performance.now() - start) / 1000
  }
  await stream.close()
  times.sort()
  const at = (q) => times[Math.round(q * (count - 1))]
  return { p50: at(0.5), p99: at(0.99) }
}

async function requests (connection, count) {
  const request = new Uint8Array(kRequestSize)
  for (let i = 0; i < count; i++) {
    const stream = await open(connection, kRequest)
    await write(stream, request)
    await stream.close()
    const answer = await readAll(stream, kRequestSize)
    if (answer.length !== kRequestSize) {
      throw new Error('a request was not answered')
    }
  }
}

/** Each connection is new down to its TCP handshake, and closed once its first byte has come back. */
async function comeAndGo (address, count) {
  const node = await createNode([])
  for (let i = 0; i < count; i++) {
    const connection = await node.dial(address)
    await roundTrips(connection, 1)
    await connection.close()
  }
  await node.stop()
}

/** The cases, each ready to be run at any scale. */
const kCases = {
  async upload (address, [streams, bytes]) {
    const connection = await dial(address)
    return (scale) => sideBySide(streams, async () =>
      measurePerf(await open(connection, kPerf), { up: Math.floor(bytes / streams * scale), down: 0 }))
  },
  async download (address, [streams, bytes]) {
    const connection = await dial(address)
    return (scale) => sideBySide(streams, async () =>
      measurePerf(await open(connection, kPerf), { up: 0, down: Math.floor(bytes / streams * scale) }))
  },
  async roundtrip (address, [count]) {
    const connection = await dial(address)
    return (scale) => roundTrips(connection, Math.floor(count * scale))
  },
  async requests (address, [count, width]) {
    const connection = await dial(address)
    return (scale) => sideBySide(width, () => requests(connection, Math.floor(count * scale / width)))
  },
  async connect (address, [count, width]) {
    return (scale) => sideBySide(width, () => comeAndGo(address, Math.floor(count * scale / width)))
  }
}

/** Runs the case a tenth as long, then waits for the word, runs it whole and tells what came of it. */
async function measure (run) {
  await run(0.1)
  console.log('ready')
  await waitForLine()
  const start = performance.now()
  const told = await run(1)
  const seconds = (performance.now() - start) / 1000
  console.log(JSON.stringify(Array.isArray(told) ? { seconds } : { seconds, ...told }))
  await waitForLine()
}

async function listen () {
  const node = await createNode(['/ip4/127.0.0.1/tcp/0'])
  await serve(node)
  console.log(String(node.getMultiaddrs()[0]))
  await waitForLine()
}

const [name, address, ...numbers] = process.argv.slice(2)
if (name === 'serve') {
  await listen()
} else if (Object.hasOwn(kCases, name) && address != null) {
  await measure(await kCases[name](multiaddr(address), numbers.map(Number)))
} else {
  console.error(kUsage)
  process.exit(2)
}
process.exit(0)
