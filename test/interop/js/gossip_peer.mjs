// A js-libp2p node for the gossipsub matrix. test/interop/gossip/README.md defines its command line, its commands and its
// output.

import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { answerLines } from './command_loop.mjs'
import { kGossipCommands } from './gossip_commands.mjs'
import { tellOf } from './gossip_events.mjs'
import { emit } from './node.mjs'
import { parseOptions } from './options.mjs'

const kUsage = 'usage: gossip_peer.mjs --protocol ID [--mesh active|passive] [--backoff SECONDS] [--px yes|no]'
const kChoices = {
  '--protocol': /^\/meshsub\/1\.[0-2]\.0$/,
  '--mesh': /^(active|passive)$/,
  '--backoff': /^[1-9]\d*$/,
  '--px': /^(yes|no)$/
}
const kDefaults = { '--mesh': 'active', '--backoff': '60', '--px': 'no' }

/** The service, which offers one protocol id only. */
function gossip (options) {
  const backoff = Number(options['--backoff']) * 1000
  const passive = options['--mesh'] === 'passive'
  const px = options['--px'] === 'yes'
  const create = gossipsub({
    globalSignaturePolicy: 'StrictSign',
    fallbackToFloodsub: false,
    // Here all nodes have the same address.
    scoreParams: { IPColocationFactorWeight: 0 },
    pruneBackoff: backoff,
    unsubcribeBackoff: backoff,
    doPX: px,
    scoreThresholds: {
      // Peers that have done nothing yet score 0.
      ...(px ? { acceptPXThreshold: 0 } : {}),
      // Peers of a mesh that score less than this get company from time to time.
      ...(passive ? { opportunisticGraftThreshold: 0 } : {})
    },
    ...(passive ? { D: 0, Dlo: 0, Dout: 0 } : {})
  })
  return (components) => {
    const service = create(components)
    service.protocols = [options['--protocol']]
    return service
  }
}

async function createNode (options) {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // By default, five connections a second from one address are taken, and here all nodes have the same one.
    connectionManager: { inboundConnectionThreshold: Infinity, maxIncomingPendingConnections: 100 },
    services: {
      identify: identify(),
      ping: ping({ maxInboundStreams: 32 }),
      gossip: gossip(options)
    }
  })
}

async function main (args) {
  const options = parseOptions(args, kChoices, kDefaults)
  if (options == null) {
    console.error(kUsage)
    return 2
  }
  const node = await createNode(options)
  const counts = tellOf(node)
  emit('listening', { peer: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) })
  await answerLines(kGossipCommands, { node, counts })
  await node.stop()
  return 0
}

process.exit(await main(process.argv.slice(2)))
