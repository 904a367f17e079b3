//! The process among others: its runtime, its signals and its parent.

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waiting on the network is most of the work; more threads would only cost memory on large machines.
const MOST_THREADS: usize = 8;

/// How soon an orphan knows.
const LOOK_FOR_PARENT: Duration = Duration::from_millis(500);

pub fn runtime() -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, MOST_THREADS))
        .enable_all()
        .build()
}

/// The process that started us.
#[derive(Clone, Copy)]
pub struct Parent(u32);

impl Parent {
    pub fn now() -> Self {
        Self(parent_id())
    }

    /// Ends when the parent has ended. Killed without a chance to say goodbye, it leaves us to another process.
    pub async fn gone(self) {
        while parent_id() == self.0 {
            tokio::time::sleep(LOOK_FOR_PARENT).await;
        }
    }
}

/// The signals that mean something to a provider.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// Which one came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Interrupt,
    Terminate,
}

impl Signals {
    /// From now on no signal of these ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Came {
        tokio::select! {
            _ = self.interrupt.recv() => Came::Interrupt,
            _ = self.terminate.recv() => Came::Terminate,
            _ = self.hang_up.recv() => Came::Terminate,
        }
    }
}
