//! rust-libp2p's peer program. ../README.md defines its command line and its output.

mod cases;
mod node;
mod protocols;
mod streams;

use std::error::Error;
use std::io;
use std::time::Instant;

use libp2p::Multiaddr;

use cases::Case;

pub type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: compare-peer serve | CASE ADDRESS NUMBER...; bench/compare/README.md has them";

/// Blocks: nothing else happens between the warm-up and the measurement.
fn wait_for_line() {
    let mut line = String::new();
    let _ = io::stdin().read_line(&mut line);
}

async fn serve() -> Fallible<node::Node> {
    let node = node::start()?;
    println!("{}", node.listen("/ip4/127.0.0.1/tcp/0".parse()?).await?);
    Ok(node)
}

/// Runs the case a tenth as long, then waits for the word, runs it whole and tells what came of it.
async fn measure(case: Case) -> Fallible<()> {
    case.run(0.1).await?;
    println!("ready");
    wait_for_line();
    let start = Instant::now();
    let told = case.run(1.0).await?;
    println!("{{\"seconds\": {}{told}}}", start.elapsed().as_secs_f64());
    wait_for_line();
    Ok(())
}

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    // On the runtime's own threads: this one would be a second beside them.
    if words.len() == 1 && words[0] == "serve" {
        let _serving = runtime.block_on(runtime.spawn(serve()))??;
        wait_for_line();
    } else {
        let address: Multiaddr = words.get(1).ok_or(USAGE)?.parse()?;
        let numbers = words[2..].iter().map(|word| word.parse::<u64>()).collect::<Result<Vec<_>, _>>()?;
        let name = words[0].clone();
        runtime
            .block_on(runtime.spawn(async move { measure(Case::find(&name, address, &numbers).await?).await }))??;
    }
    // Not dropped: the tasks that still wait on streams need not be told that they end.
    std::process::exit(0);
}
