//! What the node does on each command of README.md, and what it tells meanwhile.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use libp2p::gossipsub::{self, IdentTopic};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId};
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::emit;
use crate::mesh::MeshWatch;
use crate::node::{BehaviourEvent, Node};

/// No command takes longer.
const COMMAND_TIME: Duration = Duration::from_secs(20);
/// Counts the message ids that came in IDONTWANTs.
const IDONTWANT_METRIC: &str = "idontwant_msgs_ids_total ";

type Outcome = Result<Value, String>;
type Event = SwarmEvent<BehaviourEvent>;

pub struct Commands {
    node: Node,
    mesh: MeshWatch,
}

impl Commands {
    pub fn new(node: Node) -> Self {
        Self { node, mesh: MeshWatch::default() }
    }

    /// The fields of the reply to a line.
    pub async fn answer(&mut self, line: &str) -> Value {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = timeout(COMMAND_TIME, self.run(&words)).await;
        self.look();
        match outcome.unwrap_or_else(|_| Err("it took too long".into())) {
            Ok(mut fields) => {
                fields["ok"] = true.into();
                fields
            }
            Err(reason) => json!({ "ok": false, "reason": reason }),
        }
    }

    async fn run(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["connect", address] => self.connect(address).await,
            ["subscribe", topic] => self.subscribe(topic),
            ["unsubscribe", topic] => self.unsubscribe(topic),
            ["publish", topic, data] => self.publish(topic, data),
            ["counts"] => self.counts(),
            _ => Err("unknown command, or another number of words than it takes".into()),
        }
    }

    fn gossipsub(&mut self) -> &mut gossipsub::Behaviour {
        &mut self.node.swarm.behaviour_mut().gossipsub
    }

    fn look(&mut self) {
        self.mesh.look(&self.node.swarm.behaviour().gossipsub);
    }

    /// Lets the node work until something has happened. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        let event = poll_fn(|context| self.poll(context)).await;
        match &event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossipsub(gossipsub::Event::Message { message, .. })) => {
                tell(message)
            }
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                emit("connected", json!({ "peer": peer_id.to_string(), "outbound": endpoint.is_dialer() }));
            }
            _ => {}
        }
        event
    }

    /// Most changes of a mesh are no event of the swarm, but all are made while it is polled.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let polled = self.node.swarm.select_next_some().poll_unpin(context);
        self.look();
        polled
    }

    async fn connect(&mut self, address: &str) -> Outcome {
        let address: Multiaddr = address.parse().map_err(text)?;
        let Some(Protocol::P2p(peer)) = address.iter().last() else { return Err("no peer id in the address".into()) };
        if !self.node.swarm.is_connected(&peer) {
            self.node.swarm.dial(address).map_err(text)?;
        }
        self.dialled(peer).await
    }

    /// Waits until a dial, which was begun, has ended.
    async fn dialled(&mut self, peer: PeerId) -> Outcome {
        while !self.node.swarm.is_connected(&peer) {
            if let SwarmEvent::OutgoingConnectionError { peer_id: Some(failed), error, .. } = self.next().await
                && failed == peer
            {
                return Err(error.to_string());
            }
        }
        Ok(json!({}))
    }

    fn subscribe(&mut self, topic: &str) -> Outcome {
        self.gossipsub().subscribe(&IdentTopic::new(topic)).map_err(text)?;
        Ok(json!({}))
    }

    fn unsubscribe(&mut self, topic: &str) -> Outcome {
        self.gossipsub().unsubscribe(&IdentTopic::new(topic));
        Ok(json!({}))
    }

    fn publish(&mut self, topic: &str, data: &str) -> Outcome {
        let data = bytes(data)?;
        self.gossipsub().publish(IdentTopic::new(topic), data).map_err(text)?;
        Ok(json!({}))
    }

    fn counts(&self) -> Outcome {
        let mut metrics = String::new();
        encode(&mut metrics, &self.node.registry).map_err(text)?;
        let counted = metrics.lines().find_map(|line| line.strip_prefix(IDONTWANT_METRIC));
        let count: u64 = counted.ok_or("no such metric")?.trim().parse().map_err(text)?;
        Ok(json!({ "idontwant": count }))
    }
}

fn tell(message: &gossipsub::Message) {
    emit(
        "message",
        json!({
            "topic": message.topic.to_string(),
            "author": message.source.map(|author| author.to_string()),
            "size": message.data.len(),
            "sha256": hex(&Sha256::digest(&message.data)),
        }),
    );
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return Err("not hexadecimal".into());
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).map_err(text)).collect()
}
