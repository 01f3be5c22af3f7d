//! What the server does on each stream.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::{Stream, StreamProtocol};

pub const ECHO: StreamProtocol = StreamProtocol::new("/ggen-bench/echo/1.0.0");
pub const REQUEST: StreamProtocol = StreamProtocol::new("/ggen-bench/request/1.0.0");
pub const PERF: StreamProtocol = StreamProtocol::new("/perf/1.0.0");
pub const REQUEST_SIZE: usize = 1024;
const BLOCK: usize = 64 * 1024;

/// A stream that fails is reset by being dropped.
pub async fn serve(protocol: StreamProtocol, mut stream: Stream) {
    let _ = if protocol == ECHO {
        echo(&mut stream).await
    } else if protocol == REQUEST {
        answer(&mut stream).await
    } else {
        perf(&mut stream).await
    };
}

async fn echo(stream: &mut Stream) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        let size = stream.read(&mut block).await?;
        if size == 0 {
            return stream.close().await;
        }
        stream.write_all(&block[..size]).await?;
        stream.flush().await?;
    }
}

async fn answer(stream: &mut Stream) -> io::Result<()> {
    let mut request = Vec::with_capacity(REQUEST_SIZE + 1);
    stream.take(REQUEST_SIZE as u64 + 1).read_to_end(&mut request).await?;
    stream.write_all(&request).await?;
    stream.close().await
}

async fn perf(stream: &mut Stream) -> io::Result<()> {
    let mut header = [0; 8];
    stream.read_exact(&mut header).await?;
    count_bytes(stream).await?;
    send_zeros(stream, u64::from_be_bytes(header)).await?;
    stream.close().await
}

/// Discards everything up to the end of the stream.
pub async fn count_bytes(stream: &mut Stream) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut total = 0;
    loop {
        match stream.read(&mut block).await? {
            0 => return Ok(total),
            size => total += size as u64,
        }
    }
}

pub async fn send_zeros(stream: &mut Stream, mut left: u64) -> io::Result<()> {
    let block = vec![0; BLOCK];
    while left > 0 {
        let size = left.min(BLOCK as u64);
        stream.write_all(&block[..size as usize]).await?;
        left -= size;
    }
    Ok(())
}
