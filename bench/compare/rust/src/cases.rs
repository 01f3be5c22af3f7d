//! What the client does to a server.

use std::future::Future;
use std::time::Instant;

use futures::future::try_join_all;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId};

use crate::node::{self, Node};
use crate::protocols::{ECHO, PERF, REQUEST, REQUEST_SIZE, count_bytes, send_zeros};
use crate::{Fallible, USAGE};

pub enum Case {
    Transfer { node: Node, peer: PeerId, up: bool, streams: u64, size: u64 },
    RoundTrips { node: Node, peer: PeerId, count: u64 },
    Requests { node: Node, peer: PeerId, count: u64, width: u64 },
    Connect { address: Multiaddr, count: u64, width: u64 },
}

fn scaled(count: u64, scale: f64) -> u64 {
    (count as f64 * scale) as u64
}

/// Each task on its own, as in a program, and not as parts of one.
async fn side_by_side<F>(width: u64, task: impl Fn() -> F) -> Fallible<()>
where
    F: Future<Output = Fallible<()>> + Send + 'static,
{
    for done in try_join_all((0..width).map(|_| tokio::spawn(task()))).await? {
        done?;
    }
    Ok(())
}

impl Case {
    pub async fn find(name: &str, address: Multiaddr, numbers: &[u64]) -> Fallible<Self> {
        if let ("connect", &[count, width]) = (name, numbers) {
            return Ok(Case::Connect { address, count, width });
        }
        let node = node::start(None)?;
        let peer = node.dial(address).await?;
        match (name, numbers) {
            ("upload" | "download", &[streams, size]) => {
                Ok(Case::Transfer { node, peer, up: name == "upload", streams, size })
            }
            ("roundtrip", &[count]) => Ok(Case::RoundTrips { node, peer, count }),
            ("requests", &[count, width]) => Ok(Case::Requests { node, peer, count, width }),
            _ => Err(USAGE.into()),
        }
    }

    /// What is to be told besides how long it took.
    pub async fn run(&self, scale: f64) -> Fallible<String> {
        match self {
            &Case::Transfer { ref node, peer, up, streams, size } => {
                let each = scaled(size / streams, scale);
                side_by_side(streams, || transfer(node.clone(), peer, up, each)).await?;
            }
            &Case::RoundTrips { ref node, peer, count } => {
                let times = round_trips(node, peer, scaled(count, scale)).await?;
                let at = |q: f64| times[(q * (times.len() - 1) as f64 + 0.5) as usize];
                return Ok(format!(", \"p50\": {}, \"p99\": {}", at(0.5), at(0.99)));
            }
            &Case::Requests { ref node, peer, count, width } => {
                let each = scaled(count, scale) / width;
                side_by_side(width, || requests(node.clone(), peer, each)).await?;
            }
            &Case::Connect { ref address, count, width } => {
                let each = scaled(count, scale) / width;
                side_by_side(width, || come_and_go(address.clone(), each)).await?;
            }
        }
        Ok(String::new())
    }
}

async fn transfer(node: Node, peer: PeerId, up: bool, size: u64) -> Fallible<()> {
    let (sent, wanted) = if up { (size, 0) } else { (0, size) };
    let mut stream = node.streams.open(peer, PERF).await?;
    stream.write_all(&wanted.to_be_bytes()).await?;
    send_zeros(&mut stream, sent).await?;
    stream.close().await?;
    if count_bytes(&mut stream).await? != wanted {
        return Err("not as many bytes came as were asked for".into());
    }
    Ok(())
}

/// One byte there and back on one stream, `count` times; seconds each, sorted.
async fn round_trips(node: &Node, peer: PeerId, count: u64) -> Fallible<Vec<f64>> {
    let mut stream = node.streams.open(peer, ECHO).await?;
    let mut byte = [0; 1];
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        stream.write_all(&byte).await?;
        stream.flush().await?;
        stream.read_exact(&mut byte).await?;
        times.push(start.elapsed().as_secs_f64());
    }
    stream.close().await?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

async fn requests(node: Node, peer: PeerId, count: u64) -> Fallible<()> {
    for _ in 0..count {
        let mut stream = node.streams.open(peer, REQUEST).await?;
        stream.write_all(&[0; REQUEST_SIZE]).await?;
        stream.close().await?;
        let mut answer = Vec::with_capacity(REQUEST_SIZE);
        stream.read_to_end(&mut answer).await?;
        if answer.len() != REQUEST_SIZE {
            return Err("a request was not answered".into());
        }
    }
    Ok(())
}

/// Each connection is new down to its TCP handshake, and closed once its first byte has come back.
async fn come_and_go(address: Multiaddr, count: u64) -> Fallible<()> {
    let node = node::start(None)?;
    for _ in 0..count {
        let peer = node.dial(address.clone()).await?;
        round_trips(&node, peer, 1).await?;
        node.disconnect(peer).await?;
    }
    Ok(())
}
