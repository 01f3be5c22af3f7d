//! Tells of each peer that enters or leaves the mesh of a topic, of which the behaviour tells nobody.

use std::collections::BTreeSet;

use libp2p::PeerId;
use libp2p::gossipsub::{self, TopicHash};
use serde_json::json;

use crate::emit;

#[derive(Default)]
pub struct MeshWatch {
    seen: BTreeSet<(TopicHash, PeerId)>,
}

impl MeshWatch {
    /// To be called whenever the behaviour may have done something.
    pub fn look(&mut self, behaviour: &gossipsub::Behaviour) {
        let links =
            |topic: &TopicHash| behaviour.mesh_peers(topic).map(|peer| (topic.clone(), *peer)).collect::<Vec<_>>();
        let now: BTreeSet<_> = behaviour.topics().flat_map(links).collect();
        tell("pruned", self.seen.difference(&now));
        tell("grafted", now.difference(&self.seen));
        self.seen = now;
    }
}

fn tell<'a>(event: &str, links: impl Iterator<Item = &'a (TopicHash, PeerId)>) {
    for (topic, peer) in links {
        emit(event, json!({ "peer": peer.to_string(), "topic": topic.to_string() }));
    }
}
