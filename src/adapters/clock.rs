//! The system's clock.

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
}
