// What a js-libp2p node does on each command of test/interop/gossip/README.md.

import { multiaddr } from '@multiformats/multiaddr'
import { bytes } from './command_loop.mjs'

/** For a node and what it has counted, see gossip_events.mjs. */
export const kGossipCommands = {
  connect: async ({ node }, options, address) => {
    await node.dial(multiaddr(address), options)
  },

  subscribe: async ({ node }, options, topic) => {
    node.services.gossip.subscribe(topic)
  },

  unsubscribe: async ({ node }, options, topic) => {
    node.services.gossip.unsubscribe(topic)
  },

  publish: async ({ node }, options, topic, data) => {
    await node.services.gossip.publish(topic, bytes(data))
  },

  counts: async ({ counts }, options) => ({ ...counts })
}
