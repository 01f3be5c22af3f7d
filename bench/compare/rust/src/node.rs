//! A swarm in a task of its own, and what can be asked of it.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::upgrade::Version;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, gossipsub, identify, noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot};

use crate::Fallible;
use crate::gossip::Policy;
use crate::streams::{Opener, Streams};

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: Streams,
    identify: identify::Behaviour,
    gossipsub: Toggle<gossipsub::Behaviour>,
}

enum Request {
    Listen(Multiaddr, oneshot::Sender<Multiaddr>),
    Dial(Multiaddr, oneshot::Sender<PeerId>),
    Disconnect(PeerId, oneshot::Sender<()>),
}

/// Ends with its last clone.
#[derive(Clone)]
pub struct Node {
    requests: mpsc::UnboundedSender<Request>,
    pub streams: Opener,
}

impl Node {
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Fallible<T> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).map_err(|_| "the swarm has ended")?;
        Ok(answered.await?)
    }

    /// The address at which it can be reached, with its peer id.
    pub async fn listen(&self, address: Multiaddr) -> Fallible<Multiaddr> {
        self.ask(|answer| Request::Listen(address, answer)).await
    }

    pub async fn dial(&self, address: Multiaddr) -> Fallible<PeerId> {
        self.ask(|answer| Request::Dial(address, answer)).await
    }

    pub async fn disconnect(&self, peer: PeerId) -> Fallible<()> {
        self.ask(|answer| Request::Disconnect(peer, answer)).await
    }
}

/// With gossipsub when it is told what messages have to have.
pub fn start(gossip: Option<Policy>) -> Fallible<Node> {
    let (streams, opener) = Streams::new();
    let swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            Ok(Behaviour {
                streams,
                identify: identify::Behaviour::new(identify::Config::new("/ipfs/0.1.0".into(), key.public())),
                gossipsub: gossip.map(|policy| policy.router(key)).transpose()?.into(),
            })
        })?
        .with_swarm_config(|config| {
            config
                // A stream's first bytes travel with its negotiation, as they do in the others.
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
                .with_idle_connection_timeout(Duration::from_secs(3600))
        })
        .build();
    let (requests, requested) = mpsc::unbounded_channel();
    tokio::spawn(run(swarm, requested));
    Ok(Node { requests, streams: opener })
}

/// Who waits for the swarm to report what.
#[derive(Default)]
struct Waiting {
    listening: Option<oneshot::Sender<Multiaddr>>,
    dialled: Option<oneshot::Sender<PeerId>>,
    closed: HashMap<PeerId, oneshot::Sender<()>>,
}

async fn run(mut swarm: Swarm<Behaviour>, mut requested: mpsc::UnboundedReceiver<Request>) {
    let mut waiting = Waiting::default();
    loop {
        tokio::select! {
            event = swarm.select_next_some() => waiting.see(event, *swarm.local_peer_id()),
            request = requested.recv() => match request {
                Some(request) => waiting.act(request, &mut swarm),
                None => return,
            },
        }
    }
}

impl Waiting {
    fn act(&mut self, request: Request, swarm: &mut Swarm<Behaviour>) {
        match request {
            Request::Listen(address, answer) => {
                swarm.listen_on(address).expect("a TCP address");
                self.listening = Some(answer);
            }
            Request::Dial(address, answer) => {
                swarm.dial(address).expect("a TCP address");
                self.dialled = Some(answer);
            }
            Request::Disconnect(peer, answer) => {
                self.closed.insert(peer, answer);
                let _ = swarm.disconnect_peer_id(peer);
            }
        }
    }

    fn see(&mut self, event: SwarmEvent<BehaviourEvent>, id: PeerId) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                let address = address.with_p2p(id).expect("an address without a peer id");
                self.listening.take().map(|waiting| waiting.send(address));
            }
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                self.dialled.take().map(|waiting| waiting.send(peer_id));
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                eprintln!("compare-peer: {error}");
                self.dialled = None;
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.closed.remove(&peer_id).map(|waiting| waiting.send(()));
            }
            _ => {}
        }
    }
}
