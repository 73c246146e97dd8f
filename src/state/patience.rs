//! How long and how often something is tried that others try too.
//!
//! Waiting times grow and are not in step: without jitter, writers that lost a race together lose the next one together.

use std::time::Duration;

use crate::ports::Clock;

/// The first wait, at most.
const FIRST: Duration = Duration::from_millis(50);

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(2);

/// A remote that said no so often means it.
const MOST_REFUSALS: u32 = 10;

/// A remote that did not answer so often is away.
const MOST_SILENCES: u32 = 4;

/// Numbers without a pattern, from a seed (splitmix64; Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Why another try is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setback {
    /// Somebody else was faster.
    Race,
    /// The remote said no, perhaps for now.
    Refusal,
    /// The remote did not answer.
    Silence,
}

/// Tries that share one deadline.
pub(super) struct Patience<'c> {
    clock: &'c dyn Clock,
    begun: i64,
    deadline: Duration,
    dice: Dice,
    /// Tries that have begun.
    pub(super) tries: u32,
    in_a_row: u32,
    refusals: u32,
    silences: u32,
}

impl<'c> Patience<'c> {
    pub(super) fn new(clock: &'c dyn Clock, deadline: Duration) -> Self {
        Self {
            clock,
            begun: clock.now().as_millisecond(),
            deadline,
            dice: Dice(clock.dice()),
            tries: 1,
            in_a_row: 0,
            refusals: 0,
            silences: 0,
        }
    }

    /// Waits before another try; answers false when there is to be none.
    pub(super) fn wait(&mut self, setback: Setback) -> bool {
        match setback {
            Setback::Race => {}
            Setback::Refusal => self.refusals += 1,
            Setback::Silence => self.silences += 1,
        }
        if self.refusals >= MOST_REFUSALS || self.silences >= MOST_SILENCES {
            return false;
        }
        let wait = pause(self.in_a_row, self.dice.throw());
        if self.spent() + wait > self.deadline {
            return false;
        }
        self.clock.sleep(wait);
        self.tries += 1;
        self.in_a_row += 1;
        true
    }

    /// Counts a try that needs no wait.
    pub(super) fn try_again(&mut self) {
        self.tries += 1;
    }

    /// Something went well: the next wait is a short one again.
    pub(super) fn succeed(&mut self) {
        self.in_a_row = 0;
        self.refusals = 0;
        self.silences = 0;
    }

    /// Returns the time since the first try began.
    pub(super) fn spent(&self) -> Duration {
        let spent = self.clock.now().as_millisecond() - self.begun;
        Duration::from_millis(u64::try_from(spent).unwrap_or(0))
    }
}

/// Returns a wait between half of a doubling bound and the whole of it.
fn pause(before: u32, number: u64) -> Duration {
    let bound = FIRST.saturating_mul(1 << before.min(10)).min(LONGEST);
    let half = bound / 2;
    let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
    half + Duration::from_micros(number % micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_not_in_step() {
        for before in 0..40 {
            let bound = FIRST.saturating_mul(1 << before.min(10)).min(LONGEST);
            for number in [0, 1, 12_345_678, u64::MAX] {
                let wait = pause(before, number);
                assert!(wait >= bound / 2 && wait <= bound, "{before} {wait:?}");
            }
        }
        let mut dice = Dice(7);
        assert_ne!(pause(3, dice.throw()), pause(3, dice.throw()));
    }
}
