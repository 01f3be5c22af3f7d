// What a js-libp2p node does on each command of test/interop/kad/README.md.

import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { bytes } from './command_loop.mjs'

// A CID of the multihash: all that the table looks at is the multihash.
function contentId (hex) {
  return CID.createV1(raw.code, Digest.decode(bytes(hex)))
}

// Goes through all events of a query, and throws when no other node has taken what it was to place.
async function place (events) {
  let stored = 0
  for await (const event of events) {
    if (event.name === 'PEER_RESPONSE' && ['PUT_VALUE', 'ADD_PROVIDER'].includes(event.messageName)) {
      ++stored
    }
  }
  if (stored === 0) {
    throw new Error('no other node took it')
  }
}

export const kKadCommands = {
  connect: async (node, options, address) => {
    await node.dial(multiaddr(address), options)
  },

  refresh: async (node, options) => {
    await node.services.dht.refreshRoutingTable()
  },

  table: async (node, options) => {
    const peers = []
    for (const { peerId } of node.services.dht.routingTable.kb.toIterable()) {
      peers.push(peerId.toString())
    }
    return { peers }
  },

  'find-peer': async (node, options, id) => {
    // Without its address book, which often knows the peer already, it asks others.
    for await (const event of node.services.dht.findPeer(peerIdFromString(id), { ...options, useCache: false })) {
      if (event.name === 'FINAL_PEER') {
        return { addresses: event.peer.multiaddrs.map(String) }
      }
    }
    throw new Error('nobody has heard of the peer')
  },

  provide: async (node, options, key) => {
    await place(node.services.dht.provide(contentId(key), options))
  },

  'find-providers': async (node, options, key, count) => {
    const found = new Map()
    for await (const event of node.services.dht.findProviders(contentId(key), options)) {
      if (event.name !== 'PROVIDER') {
        continue
      }
      for (const { id, multiaddrs } of event.providers) {
        found.set(id.toString(), multiaddrs.map(String))
      }
      if (found.size >= Number(count)) {
        break
      }
    }
    return { providers: [...found].map(([peer, addresses]) => ({ peer, addresses })) }
  },

  put: async (node, options, key, value) => {
    await place(node.services.dht.put(bytes(key), bytes(value), options))
  },

  get: async (node, options, key) => {
    // The last event of this name is the best of all values that came.
    let value
    for await (const event of node.services.dht.get(bytes(key), options)) {
      if (event.name === 'VALUE') {
        value = event.value
      }
    }
    if (value == null) {
      throw new Error('no valid value')
    }
    return { value: Buffer.from(value).toString('hex') }
  }
}
