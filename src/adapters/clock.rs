//! The system's clock.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::Clock;

pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn dice(&self) -> u64 {
        // The keys of the standard library's hasher are random for each process and thread.
        std::collections::hash_map::RandomState::new().hash_one(std::process::id())
    }

    fn shared(&self) -> Arc<dyn Clock> {
        Arc::new(Self)
    }
}
