// A js-libp2p node for the Kademlia matrix. test/interop/kad/README.md defines its command line, its commands and its
// output.

import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { answerLines } from './command_loop.mjs'
import { kKadCommands } from './kad_commands.mjs'
import { kTestNamespace, selectTestValue, validateTestValue } from './kad_validator.mjs'
import { emit } from './node.mjs'
import { parseOptions } from './options.mjs'

const kUsage = 'usage: kad_peer.mjs --protocol ID [--mode client|server] [--validator test|pk]'
const kChoices = { '--protocol': /^\/./, '--mode': /^(client|server)$/, '--validator': /^(test|pk)$/ }

async function createNode (options, privateKey) {
  const test = options['--validator'] === 'test'
  return createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // By default, five connections a second from one address are taken, and here all nodes have the same one.
    connectionManager: { inboundConnectionThreshold: Infinity, maxIncomingPendingConnections: 100 },
    services: {
      identify: identify(),
      ping: ping({ maxInboundStreams: 32 }),
      dht: kadDHT({
        protocol: options['--protocol'],
        clientMode: options['--mode'] === 'client',
        // By default, private addresses are left out of all that is told and learnt.
        peerInfoMapper: passthroughMapper,
        validators: test ? { [kTestNamespace]: validateTestValue } : {},
        selectors: test ? { [kTestNamespace]: selectTestValue } : {}
      })
    }
  })
}

async function main (args) {
  const options = parseOptions(args, kChoices, { '--mode': 'server', '--validator': 'pk' })
  if (options == null) {
    console.error(kUsage)
    return 2
  }
  const privateKey = await generateKeyPair('Ed25519')
  const node = await createNode(options, privateKey)
  emit('listening', {
    peer: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(String),
    public_key: Buffer.from(publicKeyToProtobuf(privateKey.publicKey)).toString('hex')
  })
  await answerLines(kKadCommands, node)
  await node.stop()
  return 0
}

process.exit(await main(process.argv.slice(2)))
