//! A rust-libp2p node for the gossipsub matrix. test/interop/gossip/README.md defines its command line, its commands and
//! its output.

mod commands;
mod mesh;
mod node;

use std::error::Error;
use std::time::Duration;

use commands::Commands;
use node::{Options, Protocol};
use tokio::io::{AsyncBufReadExt, BufReader};

const USAGE: &str = "usage: gossip-peer --protocol ID [--mesh active|passive] [--backoff SECONDS] [--px yes|no]";

fn parse(words: &[String]) -> Option<Options> {
    let mut protocol = None;
    let (mut passive, mut backoff, mut px) = (false, Duration::from_secs(60), false);
    for pair in words.chunks(2) {
        let [name, value] = pair else { return None };
        match (name.as_str(), value.as_str()) {
            ("--protocol", "/meshsub/1.1.0") => protocol = Some(Protocol::Only11),
            ("--protocol", "/meshsub/1.2.0") => protocol = Some(Protocol::All),
            ("--mesh", "active") => passive = false,
            ("--mesh", "passive") => passive = true,
            ("--backoff", seconds) => backoff = Duration::from_secs(seconds.parse().ok().filter(|&count| count > 0)?),
            ("--px", "no") => px = false,
            ("--px", "yes") => px = true,
            _ => return None,
        }
    }
    Some(Options { protocol: protocol?, passive, backoff, px })
}

/// Answers each line of the standard input with one line, until the input ends.
async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let (node, listening) = node::start(&options).await?;
    emit("listening", listening);
    let mut commands = Commands::new(node);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                None => return Ok(()),
                Some(line) => emit("reply", commands.answer(&line).await),
            },
            _ = commands.next() => {}
        }
    }
}

pub fn emit(event: &str, mut fields: serde_json::Value) {
    fields["event"] = event.into();
    println!("{fields}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = parse(&words) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    if let Err(error) = run(options).await {
        eprintln!("gossip-peer: {error}");
        std::process::exit(1);
    }
}
