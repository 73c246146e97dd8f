//! The loopback: an HTTP/1.1 server that hands each request to a desk, and passes on what the desk says.
//!
//! Everything runs on one thread; only desks, which may wait for the disk, are asked on threads of their own.

mod answer;
mod server;
mod upstream;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;

use crate::ports::relay::{Desk, Ended, Ready, Relay, RelayProblem, Serving};
use server::Shop;

use super::wrapped::{Group, Stops, Wrapped};

/// How often an idle server looks at the clock.
const TICK: Duration = Duration::from_millis(100);

pub(super) struct Loopback;

impl Relay for Loopback {
    fn token(&self) -> io::Result<String> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let mut digits = String::new();
        for byte in bytes {
            digits.push_str(&format!("{byte:02x}"));
        }
        Ok(digits)
    }

    fn hide(&self) {
        // `/proc/PID/environ` and memory are then nobody's but root's. A system that refuses is as it was.
        #[cfg(target_os = "linux")]
        let _refused =
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }

    fn serve(
        &self,
        serving: &Serving,
        desk: Arc<dyn Desk>,
        ready: Ready<'_>,
    ) -> Result<Ended, RelayProblem> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(RelayProblem::Other)?;
        let ended = runtime.block_on(serve(serving, desk, ready));
        // What is still under way is dropped here, and its watches are told.
        drop(runtime);
        ended
    }
}

async fn serve(
    serving: &Serving,
    desk: Arc<dyn Desk>,
    ready: Ready<'_>,
) -> Result<Ended, RelayProblem> {
    let mut stops = Stops::listen().map_err(RelayProblem::Other)?;
    let listener = TcpListener::bind((serving.address, serving.port))
        .await
        .map_err(RelayProblem::Listen)?;
    let port = listener.local_addr().map_err(RelayProblem::Listen)?.port();
    let shop = Shop::open(serving, desk);
    let call = ready(port).map_err(RelayProblem::Ready)?;
    let mut wrapped = match call {
        Some(call) => Some(Wrapped::start(&call, Group::Ours).map_err(RelayProblem::Start)?),
        None => None,
    };
    let accepting = tokio::spawn(accept(listener, Arc::clone(&shop)));
    let ended = loop {
        let tick = tokio::time::sleep(TICK);
        match next(&mut stops, wrapped.as_mut(), tick).await {
            Happened::Stop(signal) => match &wrapped {
                // The command ends by itself, and then so do we.
                Some(wrapped) => wrapped.tell(signal),
                None => break Ended::Asked,
            },
            Happened::Over(end) => break Ended::Command(end.map_err(RelayProblem::Start)?),
            Happened::Tick => {
                let is_idle = serving.idle.is_some_and(|idle| shop.is_idle_for(idle));
                let is_over = serving
                    .until
                    .as_ref()
                    .is_some_and(|until| until.load(Ordering::SeqCst));
                if is_over || is_idle && wrapped.is_none() {
                    break Ended::Idle;
                }
            }
        }
    };
    accepting.abort();
    shop.close();
    let deadline = Instant::now() + serving.grace;
    while shop.is_busy() && Instant::now() < deadline {
        let tick = tokio::time::sleep(TICK);
        if let Happened::Stop(_) = next(&mut stops, None, tick).await {
            break;
        }
    }
    Ok(ended)
}

async fn accept(listener: TcpListener, shop: Arc<Shop>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _without_it_small_pieces_wait = stream.set_nodelay(true);
                tokio::spawn(server::converse(stream, Arc::clone(&shop)));
            }
            // Too many open files: some will be closed.
            Err(_) => tokio::time::sleep(TICK).await,
        }
    }
}

/// What a server waits for.
enum Happened {
    Stop(i32),
    Over(io::Result<crate::ports::relay::CommandEnd>),
    Tick,
}

async fn next(
    stops: &mut Stops,
    wrapped: Option<&mut Wrapped>,
    tick: tokio::time::Sleep,
) -> Happened {
    let mut tick = pin!(tick);
    let mut over = wrapped;
    std::future::poll_fn(|context| {
        if let Poll::Ready(signal) = stops.poll(context) {
            return Poll::Ready(Happened::Stop(signal));
        }
        if let Some(wrapped) = &mut over
            && let Poll::Ready(end) = wrapped.poll(context)
        {
            return Poll::Ready(Happened::Over(end));
        }
        Future::poll(tick.as_mut(), context).map(|()| Happened::Tick)
    })
    .await
}
