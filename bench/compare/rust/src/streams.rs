//! Streams as tasks: each inbound one is served by a task of its own, and any task can open one.
//!
//! The crate libp2p-stream is not used: it opens the streams of a connection one after another and
//! drops inbound ones that come faster than they are taken.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandler, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream, StreamProtocol,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{InboundUpgrade, Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

use crate::Fallible;
use crate::protocols;

struct Open {
    protocol: StreamProtocol,
    opened: oneshot::Sender<Stream>,
}

type Connections = Arc<Mutex<HashMap<PeerId, mpsc::UnboundedSender<Open>>>>;

/// Opens streams on the connections of one swarm.
#[derive(Clone)]
pub struct Opener(Connections);

impl Opener {
    pub async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> Fallible<Stream> {
        let (opened, stream) = oneshot::channel();
        self.send(peer, Open { protocol, opened })?;
        Ok(stream.await?)
    }

    fn send(&self, peer: PeerId, request: Open) -> Fallible<()> {
        let connections = self.0.lock().expect("no thread panics");
        let connection = connections.get(&peer).ok_or("not connected")?;
        connection.send(request).map_err(|_| "the connection has ended".into())
    }
}

pub struct Streams(Connections);

impl Streams {
    pub fn new() -> (Self, Opener) {
        let connections = Connections::default();
        (Self(connections.clone()), Opener(connections))
    }

    /// A newer connection takes the place of an older one with the same peer.
    fn handler(&self, peer: PeerId) -> Handler {
        let (sender, requests) = mpsc::unbounded_channel();
        self.0.lock().expect("no thread panics").insert(peer, sender);
        Handler { requests }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::ConnectionClosed(closed) = event
            && closed.remaining_established == 0
        {
            self.0.lock().expect("no thread panics").remove(&closed.peer_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

pub struct Handler {
    requests: mpsc::UnboundedReceiver<Open>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Served;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Stream>;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(Served, ())
    }

    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Infallible>> {
        match self.requests.poll_recv(context) {
            Poll::Ready(Some(Open { protocol, opened })) => {
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                    protocol: SubstreamProtocol::new(ReadyUpgrade::new(protocol), opened),
                })
            }
            _ => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol, (), Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, protocol), ..
            }) => {
                tokio::spawn(protocols::serve(protocol, stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, info }) => {
                let _ = info.send(stream);
            }
            _ => {} // a stream that cannot be opened: its sender is dropped, which the opener sees
        }
    }
}

/// Every protocol of protocols.rs.
pub struct Served;

impl UpgradeInfo for Served {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 3];

    fn protocol_info(&self) -> Self::InfoIter {
        [protocols::ECHO, protocols::REQUEST, protocols::PERF]
    }
}

impl InboundUpgrade<Stream> for Served {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
