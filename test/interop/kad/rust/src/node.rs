//! The node and the protocols that it speaks.

use std::error::Error;
use std::time::Duration;

use futures::StreamExt;
pub use libp2p::kad::Mode;
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, identify, kad, noise, ping, tcp, yamux};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq)]
pub enum Validation {
    Test,
    PublicKey,
}

pub struct Options {
    pub protocol: String,
    pub mode: Mode,
    pub validation: Validation,
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// The node, and the fields of its first line.
pub async fn start(options: &Options) -> Result<(Swarm<Behaviour>, Value), Box<dyn Error>> {
    let mut config = kad::Config::new(StreamProtocol::try_from_owned(options.protocol.clone())?);
    config.set_query_timeout(Duration::from_secs(15));
    // What comes is shown to us, who store it: only we know which values are genuine.
    config.set_record_filtering(kad::StoreInserts::FilterBoth);
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            let local = key.public().to_peer_id();
            let store = MemoryStore::new(local);
            Behaviour {
                kad: kad::Behaviour::with_config(local, store, config),
                identify: identify::Behaviour::new(identify::Config::new("ipfs/0.1.0".into(), key.public())),
                ping: ping::Behaviour::default(),
            }
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build();
    swarm.behaviour_mut().kad.set_mode(Some(options.mode));
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    // Only what its user has confirmed stands in provider records, and others drop those without an address.
    swarm.add_external_address(address.clone());
    let local = *swarm.local_peer_id();
    // An Ed25519 key stands in its peer id, behind the two bytes of an identity multihash.
    let public_key = hex(&local.to_bytes()[2..]);
    let fields = json!({
        "peer": local.to_string(), "addresses": [format!("{address}/p2p/{local}")], "public_key": public_key,
    });
    Ok((swarm, fields))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
