// What a js-libp2p node of the gossipsub matrix tells as it happens, and what it counts.

import { createHash } from 'node:crypto'
import { emit } from './node.mjs'

/** Tells of each peer that enters or leaves the mesh of a topic. */
class MeshWatch {
  #service
  #seen = new Map() // topic to peer ids

  constructor (service) {
    this.#service = service
    // The library's events also come for what was refused, and not for who is gone: they only say when to look.
    for (const name of ['gossipsub:graft', 'gossipsub:prune', 'gossipsub:heartbeat', 'subscription-change']) {
      service.addEventListener(name, () => { this.#look() })
    }
  }

  #look () {
    for (const topic of new Set([...this.#seen.keys(), ...this.#service.mesh.keys()])) {
      const before = this.#seen.get(topic) ?? new Set()
      const now = new Set(this.#service.mesh.get(topic))
      this.#seen.set(topic, now)
      this.#tell('pruned', topic, [...before].filter((peer) => !now.has(peer)))
      this.#tell('grafted', topic, [...now].filter((peer) => !before.has(peer)))
    }
  }

  #tell (event, topic, peers) {
    for (const peer of peers) {
      emit(event, { peer, topic })
    }
  }
}

/** Counts the message ids that come in IDONTWANTs: the library tells of them nowhere but in its metrics. */
function countIdontwant (service, counts) {
  const handle = service.handleIdontwant.bind(service)
  service.handleIdontwant = (peer, entries) => {
    for (const { messageIDs } of entries) {
      counts.idontwant += messageIDs.length
    }
    handle(peer, entries)
  }
}

/** Gives the counts, which go on changing. */
export function tellOf (node) {
  const service = node.services.gossip
  const counts = { idontwant: 0 }
  countIdontwant(service, counts)
  new MeshWatch(service) // eslint-disable-line no-new
  service.addEventListener('message', ({ detail: { topic, from, data } }) => {
    emit('message', {
      topic,
      author: from.toString(),
      size: data.byteLength,
      sha256: createHash('sha256').update(data).digest('hex')
    })
  })
  node.addEventListener('connection:open', ({ detail: connection }) => {
    emit('connected', {
      peer: connection.remotePeer.toString(),
      outbound: connection.direction === 'outbound'
    })
  })
  return counts
}
