//! What the node does on each command of README.md.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::kad::store::{MemoryStore, RecordStore};
use libp2p::kad::{
    self, GetProvidersOk, GetRecordOk, InboundRequest, PutRecordError, QueryId, QueryResult, Quorum, Record, RecordKey,
};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, identify};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::node::{Behaviour, BehaviourEvent, Options, Validation, hex};
use crate::records::is_welcome;

/// No command takes longer.
const COMMAND_TIME: Duration = Duration::from_secs(20);

type Outcome = Result<Value, String>;
type Event = SwarmEvent<BehaviourEvent>;

pub struct Commands {
    swarm: Swarm<Behaviour>,
    protocol: String,
    validation: Validation,
    /// Where peers listen, as they say themselves, and where they were dialled.
    known: HashMap<PeerId, BTreeSet<Multiaddr>>,
}

impl Commands {
    pub fn new(swarm: Swarm<Behaviour>, options: &Options) -> Self {
        let protocol = options.protocol.clone();
        Self { swarm, protocol, validation: options.validation, known: HashMap::new() }
    }

    /// The fields of the reply to a line.
    pub async fn answer(&mut self, line: &str) -> Value {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = timeout(COMMAND_TIME, self.run(&words)).await;
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
            ["refresh"] => self.refresh().await,
            ["table"] => Ok(self.table()),
            ["find-peer", id] => self.find_peer(id).await,
            ["provide", key] => self.provide(key).await,
            ["find-providers", key, count] => self.find_providers(key, count).await,
            ["put", key, value] => self.put(key, value).await,
            ["get", key] => self.get(key).await,
            _ => Err("unknown command, or another number of words than it takes".into()),
        }
    }

    fn kad(&mut self) -> &mut kad::Behaviour<MemoryStore> {
        &mut self.swarm.behaviour_mut().kad
    }

    /// Lets the node work until something has happened. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        let event = self.swarm.select_next_some().await;
        match &event {
            SwarmEvent::ConnectionEstablished { peer_id, endpoint: ConnectedPoint::Dialer { address, .. }, .. } => {
                self.known.entry(*peer_id).or_default().insert(without_peer(address));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })) => {
                self.known.entry(*peer_id).or_default().extend(info.listen_addrs.iter().map(without_peer));
                // The behaviour leaves it to its user to enter those into the table who serve the protocol.
                if info.protocols.iter().any(|protocol| protocol.as_ref() == self.protocol) {
                    for address in &info.listen_addrs {
                        self.kad().add_address(peer_id, address.clone());
                    }
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::InboundRequest { request })) => self.store(request),
            _ => {}
        }
        event
    }

    /// Stores what another node has sent, if it should be.
    fn store(&mut self, request: &InboundRequest) {
        let validation = self.validation;
        let store = self.kad().store_mut();
        let stored = match request {
            InboundRequest::PutRecord { record: Some(record), .. } if is_welcome(validation, store, record) => {
                store.put(record.clone())
            }
            InboundRequest::AddProvider { record: Some(record) } => store.add_provider(record.clone()),
            _ => Ok(()),
        };
        if let Err(error) = stored {
            eprintln!("not stored: {error}");
        }
    }

    /// Lets the node work until the query has more to say: that, and whether it was the last.
    async fn progress(&mut self, query: QueryId) -> (QueryResult, bool) {
        loop {
            if let SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                id,
                result,
                step,
                ..
            })) = self.next().await
                && id == query
            {
                return (result, step.last);
            }
        }
    }

    async fn all_results(&mut self, query: QueryId) -> Vec<QueryResult> {
        let mut results = Vec::new();
        loop {
            let (result, last) = self.progress(query).await;
            results.push(result);
            if last {
                return results;
            }
        }
    }

    /// Waits until a dial, which was begun, has ended.
    async fn dialled(&mut self, peer: PeerId) -> Result<(), String> {
        while !self.swarm.is_connected(&peer) {
            if let SwarmEvent::OutgoingConnectionError { peer_id: Some(failed), error, .. } = self.next().await
                && failed == peer
            {
                return Err(error.to_string());
            }
        }
        Ok(())
    }

    async fn connect(&mut self, address: &str) -> Outcome {
        let address: Multiaddr = address.parse().map_err(text)?;
        let Some(Protocol::P2p(peer)) = address.iter().last() else { return Err("no peer id in the address".into()) };
        if !self.swarm.is_connected(&peer) {
            self.swarm.dial(address).map_err(text)?;
        }
        self.dialled(peer).await.map(|()| json!({}))
    }

    async fn refresh(&mut self) -> Outcome {
        let query = self.kad().bootstrap().map_err(text)?;
        self.all_results(query).await;
        Ok(json!({}))
    }

    fn table(&mut self) -> Value {
        let peers: Vec<String> = self
            .kad()
            .kbuckets()
            .flat_map(|bucket| bucket.iter().map(|entry| entry.node.key.preimage().to_string()).collect::<Vec<_>>())
            .collect();
        json!({ "peers": peers })
    }

    async fn find_peer(&mut self, id: &str) -> Outcome {
        let peer: PeerId = id.parse().map_err(text)?;
        let query = self.kad().get_closest_peers(peer);
        for result in self.all_results(query).await {
            if let QueryResult::GetClosestPeers(Ok(closest)) = result
                && let Some(found) = closest.peers.into_iter().find(|info| info.peer_id == peer)
            {
                return Ok(json!({ "addresses": found.addrs }));
            }
        }
        Err("nobody has heard of the peer".into())
    }

    async fn provide(&mut self, key: &str) -> Outcome {
        let key = RecordKey::from(bytes(key)?);
        let query = self.kad().start_providing(key).map_err(text)?;
        match self.all_results(query).await.pop() {
            Some(QueryResult::StartProviding(Ok(_))) => Ok(json!({})),
            other => Err(format!("{other:?}")),
        }
    }

    async fn find_providers(&mut self, key: &str, count: &str) -> Outcome {
        let key = RecordKey::from(bytes(key)?);
        let count: usize = count.parse().map_err(text)?;
        let query = self.kad().get_providers(key);
        let mut found = BTreeSet::new();
        loop {
            let (result, last) = self.progress(query).await;
            if let QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) = result {
                found.extend(providers);
            }
            // The behaviour tells who provides, and keeps where for itself: it dials them there while the query runs.
            for peer in &found {
                if !self.swarm.is_connected(peer) && peer != self.swarm.local_peer_id() {
                    let _ = self.swarm.dial(*peer); // fails when it is being dialled already
                }
            }
            if last {
                break;
            }
            if found.len() >= count
                && let Some(mut query) = self.kad().query_mut(&query)
            {
                query.finish();
            }
        }
        Ok(json!({ "providers": self.described(found, count).await }))
    }

    async fn described(&mut self, found: BTreeSet<PeerId>, count: usize) -> Vec<Value> {
        let mut providers = Vec::new();
        for peer in found.into_iter().take(count) {
            if peer != *self.swarm.local_peer_id() {
                let _ = timeout(Duration::from_secs(2), self.dialled(peer)).await;
            }
            providers.push(json!({ "peer": peer.to_string(), "addresses": self.known.get(&peer) }));
        }
        providers
    }

    async fn put(&mut self, key: &str, value: &str) -> Outcome {
        let record = Record::new(bytes(key)?, bytes(value)?);
        let validation = self.validation;
        if !is_welcome(validation, self.kad().store_mut(), &record) {
            return Err("invalid or outdated".into());
        }
        // With a smaller quorum it ends as soon as that many have taken the record, before the others were asked.
        let query = self.kad().put_record(record, Quorum::All).map_err(text)?;
        match self.all_results(query).await.pop() {
            Some(QueryResult::PutRecord(Ok(_))) => Ok(json!({})),
            Some(QueryResult::PutRecord(Err(PutRecordError::QuorumFailed { success, .. }))) if !success.is_empty() => {
                Ok(json!({}))
            }
            other => Err(format!("{other:?}")),
        }
    }

    async fn get(&mut self, key: &str) -> Outcome {
        let key = bytes(key)?;
        let query = self.kad().get_record(RecordKey::from(key.clone()));
        let mut best: Option<Vec<u8>> = None;
        for result in self.all_results(query).await {
            let QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) = result else { continue };
            let value = found.record.value;
            let better = best.as_ref().is_none_or(|held| self.validation.is_better(&value, held));
            if better && self.validation.is_valid(&key, &value) {
                best = Some(value);
            }
        }
        best.map(|value| json!({ "value": hex(&value) })).ok_or_else(|| "no valid value".into())
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return Err("not hexadecimal".into());
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).map_err(text)).collect()
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}
