// The js-libp2p node, and what it serves.

import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { chunks, readAll, write } from '../../../test/interop/js/streams.mjs'
import { kPerf, perf } from './perf.mjs'

export const kEcho = '/ggen-bench/echo/1.0.0'
export const kRequest = '/ggen-bench/request/1.0.0'
export const kRequestSize = 1024
/** js-libp2p allows 32 streams of a protocol and direction unless told otherwise. */
export const kMaxStreams = 256

const kMany = 1 << 20

/** `listen` is a list of multiaddrs. The limits that would refuse a thousand connections are lifted. */
export async function createNode (listen) {
  return createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen },
    transports: [tcp({ maxConnections: kMany, backlog: 4096 })],
    connectionEncrypters: [noise()],
    // js-libp2p goes on giving credit for a paused stream, and resets it when more than this has come.
    streamMuxers: [yamux({ streamOptions: { maxReadBufferLength: 96 << 20 } })],
    connectionManager: {
      maxConnections: kMany,
      inboundConnectionThreshold: kMany,
      maxIncomingPendingConnections: kMany
    },
    services: { identify: identify() }
  })
}

/** Sends every byte back as it comes, and FIN after FIN. */
async function echo (stream) {
  for await (const chunk of chunks(stream)) {
    await write(stream, chunk)
  }
  await stream.close()
}

async function answer (stream) {
  await write(stream, await readAll(stream, kRequestSize))
  await stream.close()
}

export async function serve (node) {
  for (const [protocol, handler] of [[kEcho, echo], [kRequest, answer], [kPerf, perf]]) {
    await node.handle(protocol, async (stream) => {
      try {
        await handler(stream)
      } catch (error) {
        stream.abort(error)
      }
    }, { maxInboundStreams: kMaxStreams, maxOutboundStreams: kMaxStreams })
  }
}
