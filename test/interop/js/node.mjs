// The js-libp2p node, and the events by which it says what it sees.

import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

const kKeyTypes = { ed25519: 'Ed25519', secp256k1: 'secp256k1', rsa: 'RSA' }
export const kKeyNames = Object.keys(kKeyTypes)

export function emit (event, fields) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')
}

/**
 * Noise that notes whether each handshake settled the muxer, and that, when asked to, leaves the muxer out of the
 * handshake on both sides of it: it offers none and ignores what the remote offers.
 */
function observedNoise (earlyMuxer, earlyPeers) {
  return (components) => {
    const encrypter = noise()(components)
    for (const method of ['secureInbound', 'secureOutbound']) {
      const secure = encrypter[method].bind(encrypter)
      encrypter[method] = async (connection, options) => {
        const secured = await secure(connection, { ...options, skipStreamMuxerNegotiation: !earlyMuxer })
        earlyPeers.set(secured.remotePeer.toString(), secured.streamMuxer != null)
        return secured
      }
    }
    return encrypter
  }
}

/** `listen` is a list of multiaddrs; `runIdentify` is whether each new connection is identified at once. */
export async function createNode ({ listen, key, earlyMuxer, runIdentify }) {
  const earlyPeers = new Map()
  const node = await createLibp2p({
    privateKey: await generateKeyPair(kKeyTypes[key]),
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [observedNoise(earlyMuxer, earlyPeers)],
    // js-libp2p goes on giving credit for a paused stream, and resets it when more than this has come.
    streamMuxers: [yamux({ streamOptions: { maxReadBufferLength: 96 << 20 } })],
    services: { identify: identify({ runOnConnectionOpen: runIdentify }), ping: ping() }
  })
  node.addEventListener('connection:open', ({ detail: connection }) => {
    emit('connection', {
      local: node.peerId.toString(),
      peer: connection.remotePeer.toString(),
      security: connection.encryption,
      muxer: connection.multiplexer,
      early_muxer: earlyPeers.get(connection.remotePeer.toString())
    })
  })
  node.addEventListener('connection:close', ({ detail: connection }) => {
    emit('disconnected', { peer: connection.remotePeer.toString() })
  })
  node.addEventListener('peer:identify', ({ detail: result }) => emit('identified', identifyFacts(result)))
  return node
}

export function identifyFacts (result) {
  return {
    peer: result.peerId.toString(),
    agent: result.agentVersion,
    protocol_version: result.protocolVersion,
    protocols: result.protocols,
    listen_addresses: result.listenAddrs.map(String),
    observed_address: result.observedAddr?.toString(),
    signed_addresses: result.signedPeerRecord?.addresses.map(String)
  }
}
