//! What the plugin runtime costs, side by side with a peer: a provider of the same schema on the crate `tf-provider`.
//!
//! Runs of both are interleaved, so that a busy machine is busy for both; figures are medians, and ratios are medians of the
//! ratios of single rounds. Printed for people, with the goals beside: on a machine that does other things they are no verdict.

// The harness is the tests' own, and a bench uses part of it.
#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod calls;
mod cli;
mod contender;
mod figures;
mod plugin;
mod thing;

use contender::Contender;
use figures::{Goal, Row, heading, print};

fn main() {
    let ours = Contender::corner();
    let product = Contender::product();
    let peer = Contender::peer();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();

    heading("", "");
    starts(&ours, &product, peer.as_ref());
    runtime.block_on(calls::schemas(&ours, &product, peer.as_ref()));
    sizes(&ours, &product, peer.as_ref());
    heading("the calls of a plan, ten at once, in one process", "");
    for (count, rounds) in [(1, 21), (100, 7), (1000, 3)] {
        runtime.block_on(calls::plans(&ours, peer.as_ref(), count, rounds));
    }
    // The peer answers no call in less than 40 ms: five minutes for one of these rounds would tell nothing new.
    runtime.block_on(calls::plans(&ours, None, 10_000, 3));
    cli::plans(&ours, peer.as_ref());
}

/// From exec to the handshake's line, with the certificate that Terraform gives.
fn starts(ours: &Contender, product: &Contender, peer: Option<&Contender>) {
    let rounds = 60;
    let mut row = Row::new("start to handshake", "ms");
    let mut own = Row::new("the product's", "ms");
    for _ in 0..rounds {
        row.round(
            ours.start().as_secs_f64() * 1e3,
            peer.map(|peer| peer.start().as_secs_f64() * 1e3),
        );
        own.round(product.start().as_secs_f64() * 1e3, None);
    }
    print(&row, &[Goal::Ratio(0.6), Goal::Most(5.0)]);
    print(&own, &[Goal::Most(5.0)]);
}

/// What is on the disk: both are stripped.
fn sizes(ours: &Contender, product: &Contender, peer: Option<&Contender>) {
    let mut row = Row::new("size of the binary", "MB");
    row.round(ours.megabytes(), peer.map(Contender::megabytes));
    print(&row, &[]);
    let mut own = Row::new("the product's", "MB");
    own.round(product.megabytes(), None);
    print(&own, &[]);
}
