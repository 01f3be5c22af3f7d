//! A rust-libp2p node for the Kademlia matrix. test/interop/kad/README.md defines its command line, its commands and its
//! output.

mod commands;
mod node;
mod records;

use std::error::Error;

use commands::Commands;
use node::{Mode, Options, Validation};
use tokio::io::{AsyncBufReadExt, BufReader};

const USAGE: &str = "usage: kad-peer --protocol ID [--mode client|server] [--validator test|pk]";

fn parse(words: &[String]) -> Option<Options> {
    let (mut protocol, mut mode, mut validation) = (None, Mode::Server, Validation::PublicKey);
    for pair in words.chunks(2) {
        let [name, value] = pair else { return None };
        match (name.as_str(), value.as_str()) {
            ("--protocol", id) => protocol = Some(id.to_owned()),
            ("--mode", "client") => mode = Mode::Client,
            ("--mode", "server") => mode = Mode::Server,
            ("--validator", "test") => validation = Validation::Test,
            ("--validator", "pk") => validation = Validation::PublicKey,
            _ => return None,
        }
    }
    Some(Options { protocol: protocol?, mode, validation })
}

/// Answers each line of the standard input with one line, until the input ends.
async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let (swarm, listening) = node::start(&options).await?;
    emit("listening", listening);
    let mut commands = Commands::new(swarm, &options);
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

fn emit(event: &str, mut fields: serde_json::Value) {
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
        eprintln!("kad-peer: {error}");
        std::process::exit(1);
    }
}
