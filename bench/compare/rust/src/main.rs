//! rust-libp2p's peer program. ../README.md defines its command line and its output.

mod cases;
mod gossip;
mod node;
mod protocols;
mod streams;

use std::error::Error;
use std::io;
use std::time::Instant;

use libp2p::Multiaddr;
use tokio::runtime::Runtime;

use cases::Case;
use gossip::Policy;

pub type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str =
    "usage: compare-peer serve | serve-gossip POLICY | CASE ADDRESS NUMBER...; bench/compare/README.md has them";

/// Blocks: nothing else happens between the warm-up and the measurement.
fn wait_for_line() {
    let mut line = String::new();
    let _ = io::stdin().read_line(&mut line);
}

/// Serves until the input says something or ends.
fn serve(runtime: &Runtime, gossip: Option<Policy>) -> Fallible<()> {
    let start = async move {
        let node = node::start(gossip)?;
        println!("{}", node.listen("/ip4/127.0.0.1/tcp/0".parse()?).await?);
        Fallible::Ok(node)
    };
    // On the runtime's own threads: this one would be a second beside them.
    let _serving = runtime.block_on(runtime.spawn(start))??;
    wait_for_line();
    Ok(())
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
    let runtime = Runtime::new()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve(&runtime, None)?,
        ["serve-gossip", policy] => serve(&runtime, Some(Policy::find(policy)?))?,
        [name, address, ref numbers @ ..] => {
            let (name, address) = (name.to_owned(), address.parse::<Multiaddr>()?);
            let numbers = numbers.iter().map(|word| word.parse::<u64>()).collect::<Result<Vec<_>, _>>()?;
            let run = async move { measure(Case::find(&name, address, &numbers).await?).await };
            runtime.block_on(runtime.spawn(run))??;
        }
        _ => return Err(USAGE.into()),
    }
    // Not dropped: the tasks that still wait on streams need not be told that they end.
    std::process::exit(0);
}
