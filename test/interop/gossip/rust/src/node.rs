//! The node and the protocols that it speaks.

use std::error::Error;
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{self, Message, MessageAuthenticity, MessageId, MetricsConfig, ValidationMode, Version};
use libp2p::identity::Keypair;
use libp2p::metrics::Registry;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};
use serde_json::{Value, json};

/// Which protocol ids are offered.
#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    Only11,
    /// With a protocol id of one's own choice, the behaviour takes its peers to speak 1.1 at most.
    All,
}

pub struct Options {
    pub protocol: Protocol,
    pub passive: bool,
    pub backoff: Duration,
    pub px: bool,
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gossipsub: gossipsub::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

pub struct Node {
    pub swarm: Swarm<Behaviour>,
    /// What the behaviour counts.
    pub registry: Registry,
}

/// The specification's default. The library's own is made of the same fields written as text, which no other
/// implementation takes for the id of the same message.
fn message_id(message: &Message) -> MessageId {
    let mut id = message.source.map(|author| author.to_bytes()).unwrap_or_default();
    id.extend(message.sequence_number.unwrap_or_default().to_be_bytes());
    MessageId::from(id)
}

fn gossip_config(options: &Options) -> Result<gossipsub::Config, Box<dyn Error>> {
    let mut config = gossipsub::ConfigBuilder::default();
    config.validation_mode(ValidationMode::Strict).message_id_fn(message_id);
    config.prune_backoff(options.backoff).unsubscribe_backoff(options.backoff);
    if options.protocol == Protocol::Only11 {
        config.protocol_id("/meshsub/1.1.0", Version::V1_1);
    }
    if options.passive {
        config.mesh_n(0).mesh_n_low(0).mesh_outbound_min(0);
    }
    if options.px {
        // It names peers, without their signed records, and dials of those named to it only whom it knows already.
        config.do_px().prune_peers(16);
    }
    Ok(config.build()?)
}

fn gossipsub_of(
    key: &Keypair,
    options: &Options,
    registry: &mut Registry,
) -> Result<gossipsub::Behaviour, Box<dyn Error>> {
    let signed = MessageAuthenticity::Signed(key.clone());
    let behaviour = gossipsub::Behaviour::new(signed, gossip_config(options)?)?;
    // Peers are not scored, and so not for the address that all of them share here.
    Ok(behaviour.with_metrics(registry, MetricsConfig::default()))
}

/// The node, and the fields of its first line.
pub async fn start(options: &Options) -> Result<(Node, Value), Box<dyn Error>> {
    let mut registry = Registry::default();
    let key = Keypair::generate_ed25519();
    let behaviour = Behaviour {
        gossipsub: gossipsub_of(&key, options, &mut registry)?,
        // Signed addresses are what peer exchange hands on.
        identify: identify::Behaviour::new(identify::Config::new_with_signed_peer_record("ipfs/0.1.0".into(), &key)),
        ping: ping::Behaviour::default(),
    };
    let mut swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| behaviour)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    // Only what its user has confirmed stands in the signed record.
    swarm.add_external_address(address.clone());
    let local = *swarm.local_peer_id();
    let fields = json!({ "peer": local.to_string(), "addresses": [format!("{address}/p2p/{local}")] });
    Ok((Node { swarm, registry }, fields))
}
